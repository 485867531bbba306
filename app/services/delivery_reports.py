"""What the mail provider tells of mails that it had taken: delivered, or failed after all."""

from itertools import groupby
from operator import attrgetter
from uuid import UUID

from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Actor, ActorType, Seen
from app.domain.communications import CommunicationStatus, DeliveryReport
from app.mail.delivery_reports import read_reports
from app.repositories.communications import ReportedMail
from app.repositories.unit_of_work import Transactions, UnitOfWork

PROVIDER = Actor(ActorType.SYSTEM, "mailprovider", "Mail provider")

_MAY_STILL_FAIL = (CommunicationStatus.QUEUED, CommunicationStatus.SENDING, CommunicationStatus.SUCCESSFUL)


class DeliveryReports:
    """Keeps the mails' delivery states in step with the mail provider's."""

    def __init__(self, transaction: Transactions) -> None:
        self._transaction = transaction

    async def receive(self, body: bytes) -> int:
        """Do what a batch of events says; how many told of a mail of ours. A batch that comes again changes nothing.

        Raises: ValidationFailed, TemporarilyUnavailable.
        """
        reports = read_reports(body)
        by_organisation = attrgetter("organisation_id")
        for organisation_id, of_one in groupby(sorted(reports, key=by_organisation), by_organisation):
            await self._apply(organisation_id, list(of_one))
        return len(reports)

    async def _apply(self, organisation_id: UUID, reports: list[DeliveryReport]) -> None:
        told: dict[UUID, list[DeliveryReport]] = {}
        for report in reports:
            told.setdefault(report.communication_id, []).append(report)
        async with self._transaction(organisation_id) as uow:
            delivered = []
            for mail in await uow.communications.lock_reported(list(told)):
                failed = mail.status is CommunicationStatus.FAILED
                for report in told[mail.id]:
                    if report.error is None and not failed:
                        delivered.append(mail.id)
                    elif report.error is not None and not failed and mail.status in _MAY_STILL_FAIL:
                        await _fail(uow, mail, report.error)
                        failed = True
            if delivered:
                await uow.communications.delivered(delivered)


async def _fail(uow: UnitOfWork, mail: ReportedMail, error: str) -> None:
    await uow.communications.returned(mail.id, error)
    carried = await uow.tokens.of_communication(mail.id)
    for customer in [one.customer for one in carried] or [mail.customer]:
        uow.activities.record(
            NewActivity(
                ActivityType.COMMUNICATION_FAILED,
                PROVIDER,
                Seen(mail.correlation_id),
                Subject(SubjectType.COMMUNICATION, mail.id),
                customer,
                {"kind": mail.kind.value, "error": error, "attempts": mail.attempts},
            )
        )
