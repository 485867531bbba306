"""Whom a login means: known by the account, or by the address alone."""

from dataclasses import dataclass
from uuid import UUID

from app.domain.accounts import AccountState
from app.domain.activities import CustomerRef, Subject, SubjectType
from app.domain.callers import Actor, ActorType


@dataclass(frozen=True, slots=True)
class LoginTarget:
    """A customer whom a login could mean: by an account of the address, or as the contact address alone."""

    customer_id: UUID
    account_number: str
    display_name: str
    generation: int
    account_id: UUID | None = None
    account_state: AccountState | None = None

    @property
    def actor(self) -> Actor:
        """The customer as the one who logs in."""
        return Actor(ActorType.CUSTOMER, str(self.customer_id), self.display_name)

    @property
    def ref(self) -> CustomerRef:
        """The customer as the log names them."""
        return CustomerRef(self.customer_id, self.account_number, self.generation)

    @property
    def subject(self) -> Subject:
        """What the login was about: the account, or the customer who has none."""
        if self.account_id is None:
            return Subject(SubjectType.CUSTOMER, self.customer_id)
        return Subject(SubjectType.ACCOUNT, self.account_id)


@dataclass(frozen=True, slots=True)
class MeantLogin:
    """Whom a failed login meant, and why it failed as far as the password was not the reason."""

    targets: tuple[LoginTarget, ...]
    reason: str | None


def meant(
    tried: list[LoginTarget], holders: list[LoginTarget], contacts: list[LoginTarget], *, most: int
) -> MeantLogin:
    """Whom a failed login meant.

    `tried` are those whose password was looked at, `holders` have or had an account of the address, `contacts` have
    it as their contact address.
    """
    if tried:
        return MeantLogin(tuple(tried), None)
    live = tuple(one for one in holders if one.account_state is AccountState.LIVE)
    if live:
        return MeantLogin(live, "customernumber")
    known = {one.customer_id: one for one in (*contacts, *holders)}
    return MeantLogin(tuple(known.values())[:most], "noaccount" if known else "unknown")
