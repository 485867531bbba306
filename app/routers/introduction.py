"""What the OpenAPI document says before its operations."""

_ABOUT = """\
Everything about a customer's access to the utility's customer portal: the **card** with its buttons, invitations and
other one-time links, the customer's own side of them, and the log of it all.
"""
_TO_TRY_IT = """\
**To try it**, press *Authorize* and give what an operation's lock asks for; it is kept for all operations:

- *Back office* and *Partners*: a bearer token, and `tenant` and `organisation`, for whom it acts.
  `portal-access token --tenant … --organisation …` prints one of the embedded issuer; a real issuer gives its own.
- *Portal*: `tenant` and `organisation` before login. Logging in here, or redeeming an impersonation, fills in
  `portalSession` for what follows.

The examples are those of the sample organisation (`portal-access demo`, `portal-access seed`).
"""
_CONVENTIONS = """\
Lists are newest first: `pageSize` up to 200, then `continuationToken` with the `nextPageToken` of the page before.
Every refusal is `application/problem+json` with a stable `key` for programs and a `solution` for people. Every answer
carries `X-Correlation-Id`; it stands in the log beside what the call did.
"""
_FOR_PARTNERS = """\
What applications of partners use to keep customers in step, invite them, and follow what happens.

Every call carries the bearer token of an application, and `zf-tuuid` and `zf-ouuid`, the tenant and the organisation
for which it acts.
"""

DESCRIPTION = f"{_ABOUT}\n{_TO_TRY_IT}\n{_CONVENTIONS}"
PARTNERS_DESCRIPTION = f"{_FOR_PARTNERS}\n{_CONVENTIONS}"
