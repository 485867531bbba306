"""What must add up in the database, whatever was killed and whenever: each change has its entry in the log, each entry
its change, and no mail is forgotten."""

from tests.support.databases import Sql

_UNPAIRED = """
WITH changes (what, id, type) AS (
    SELECT 'token', id, CASE purpose
        WHEN 'invitation' THEN 'PortalInvitationSent'
        WHEN 'emailconfirmation' THEN 'PortalEmailConfirmationSent'
        WHEN 'passwordreset' THEN 'PortalPasswordResetSent' END
    FROM tokens WHERE created_by_type = 'employee' OR purpose = 'emailconfirmation'
    UNION ALL
    SELECT 'token', id, CASE purpose
        WHEN 'invitation' THEN 'PortalInvitationSuperseded'
        WHEN 'emailconfirmation' THEN 'PortalEmailConfirmationSuperseded'
        WHEN 'passwordreset' THEN 'PortalPasswordResetSuperseded' END
    FROM tokens WHERE state = 'superseded'
    UNION ALL
    SELECT 'session', id, 'PortalLoginSucceeded' FROM sessions WHERE impersonation_id IS NULL
    UNION ALL
    SELECT 'session', id, 'PortalLoggedOut' FROM sessions WHERE end_reason = 'loggedout'
),
entries (id, type) AS (
    SELECT subject_id, type FROM activities WHERE type IN (
        'PortalInvitationSent', 'PortalEmailConfirmationSent', 'PortalPasswordResetSent', 'PortalInvitationSuperseded',
        'PortalEmailConfirmationSuperseded', 'PortalPasswordResetSuperseded', 'PortalLoginSucceeded', 'PortalLoggedOut')
)
SELECT coalesce(changes.what || ' without its entry', 'entry without its change') AS problem,
    coalesce(changes.id, entries.id) AS id, coalesce(changes.type, entries.type) AS type
FROM changes FULL JOIN entries ON entries.id = changes.id AND entries.type = changes.type
WHERE changes.id IS NULL OR entries.id IS NULL
"""
_PER_CUSTOMER = """
SELECT customers.account_number AS number,
    (SELECT count(*) FROM accounts WHERE accounts.customer_id = customers.id) AS accounts,
    count(*) FILTER (WHERE type = 'PortalAccountRegistered') AS registered,
    count(*) FILTER (WHERE type = 'PortalAccountReset') AS resets,
    (SELECT count(*) FROM tokens WHERE tokens.customer_id = customers.id AND purpose = 'invitation' AND state = 'used')
        AS invitations_used,
    (SELECT count(*) FROM accounts WHERE accounts.customer_id = customers.id AND email_confirmed_at IS NOT NULL)
        AS confirmed,
    count(*) FILTER (WHERE type = 'PortalEmailConfirmed') AS confirmations,
    (SELECT count(*) FROM tokens WHERE tokens.customer_id = customers.id AND state = 'pending'
        AND purpose = 'invitation') AS pending_invitations
FROM customers LEFT JOIN activities ON activities.customer_id = customers.id
GROUP BY customers.organisation_id, customers.id
"""
_MAILS_WITHOUT_A_JOB = """
SELECT id, status FROM communications
WHERE status IN ('queued', 'sending') AND NOT EXISTS (
    SELECT FROM pgqueuer WHERE convert_from(payload, 'UTF8') LIKE '%' || communications.id::text || '%')
"""


def problems(sql: Sql) -> list[str]:
    """Everything that does not add up, in words; nothing runs meanwhile."""
    found = [f"{row['problem']}: {row['type']} {row['id']}" for row in sql.rows(_UNPAIRED)]
    for row in sql.rows(_PER_CUSTOMER):
        if row["accounts"] != row["registered"] - row["resets"] or row["registered"] != row["invitations_used"]:
            found.append(f"accounts and their entries differ: {dict(row)}")
        if row["confirmed"] > row["confirmations"] or row["confirmations"] > row["registered"]:
            found.append(f"confirmations and their entries differ: {dict(row)}")
        if row["pending_invitations"] > 1:
            found.append(f"several living invitations: {dict(row)}")
    found += [f"a mail that nobody sends: {row['status']} {row['id']}" for row in sql.rows(_MAILS_WITHOUT_A_JOB)]
    return found
