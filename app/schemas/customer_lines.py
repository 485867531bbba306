"""Many customers' records at once: a line for each, and what became of it."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field, JsonValue

from app.domain.customers import Customer
from app.errors import PortalError
from app.schemas.base import Answered, Given
from app.schemas.customers import CustomerRecord
from app.schemas.problems import FieldProblem

MOST_ERRORS = 10
_LONGEST_NAME = 100

EXAMPLES: list[JsonValue] = [
    {
        "customerId": f"0199d8a0-0000-7000-8000-0000000000{number}",
        "accountNumber": f"200191{number}",
        "displayName": name,
        "email": email,
    }
    for number, name, email in ((20, "Sofie Janssens", "sofie.janssens@example.com"), (21, "Luca Moretti", None))
]


class CustomerLine(CustomerRecord):
    """A customer's record with its id."""

    model_config = Given.model_config | {"json_schema_extra": {"examples": EXAMPLES}}

    customer_id: UUID

    def named_customer(self) -> Customer:
        """The domain's customer."""
        return self.customer(self.customer_id)


class LineStatus(StrEnum):
    """What became of a line."""

    CREATED = "created"
    UPDATED = "updated"
    FAILED = "failed"


class CustomerLineResult(Answered):
    """What became of one line."""

    line: int = Field(description="Its number in the body, from 1; empty lines count and have no result.")
    customer_id: UUID | None = Field(description="Null where the line does not tell it.")
    status: LineStatus
    key: str | None = Field(description="Why it failed: the `key` of the same refusal of a single record.")
    errors: list[FieldProblem] = Field(description=f"What is wrong with it, by field; the first {MOST_ERRORS}.")

    @classmethod
    def of(cls, number: int, customer_id: UUID | None, outcome: bool | PortalError) -> "CustomerLineResult":
        """From what came of it: whether the customer was created, or the refusal."""
        if not isinstance(outcome, PortalError):
            status = LineStatus.CREATED if outcome else LineStatus.UPDATED
            return cls(line=number, customer_id=customer_id, status=status, key=None, errors=[])
        problems = [
            FieldProblem(field=one.field[:_LONGEST_NAME], key=one.key, message=one.message) for one in outcome.errors
        ]
        return cls(line=number, customer_id=customer_id, status=LineStatus.FAILED, key=outcome.key, errors=problems)
