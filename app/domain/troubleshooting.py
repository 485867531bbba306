"""The two troubleshooting tables of the card's help page: each problem, its solution, and the check that finds it."""

from app.domain.checks import getting_in, inside
from app.domain.diagnosis import Row

ROWS = (
    Row(
        "customerhasnoemail",
        "The customer has no e-mail address.",
        "Add the e-mail address and send the invitation again.",
        getting_in.customer_has_no_email,
    ),
    Row(
        "registrationlinknotworking",
        "The registration link does not work any more, or never arrived.",
        "Send a new invitation; the old link has ended.",
        getting_in.registration_link_not_working,
    ),
    Row(
        "cannotaccesswhileaccountexists",
        "An account exists, but the customer has never been able to log in.",
        "Reset the portal account and let the customer register again.",
        getting_in.cannot_access_while_account_exists,
    ),
    Row(
        "customernumbermismatch",
        "The customer cannot register: the customer number that was typed does not match.",
        "Tell the customer the right customer number and let them try again; the link works until ten wrong numbers.",
        getting_in.customer_number_mismatch,
    ),
    Row(
        "noinvoicesorfiles",
        "The customer sees no invoices or files: none are linked.",
        "Check whether the customer is linked to contracts, invoices and documents.",
        inside.no_invoices_or_files,
    ),
    Row(
        "portalnotactivated",
        "The customer portal is not activated.",
        "Activate the customer portal in the organisation's settings.",
        inside.portal_not_activated,
    ),
    Row(
        "incorrectinformation",
        "The account's e-mail address is not the customer's, and the customer did not change it.",
        "Reset the portal account and let the customer register again.",
        inside.incorrect_information,
    ),
    Row(
        "advancepaymentnotadjustable",
        "Customers cannot adjust their advance payment: the feature is off.",
        "Enable the feature in the organisation's settings.",
        inside.advance_payment_not_adjustable,
    ),
    Row(
        "multipleaccounts",
        "There are several portal accounts for this customer.",
        "Clean up: reactivate the right account; the others are retired.",
        getting_in.multiple_accounts,
    ),
    Row(
        "cannotlogin",
        "The customer cannot log in.",
        "Verify the e-mail address, or send a password reset.",
        getting_in.cannot_log_in,
    ),
    Row(
        "confirmationnotreceived",
        "The customer has not confirmed the address; the confirmation mail did not arrive or was overlooked.",
        "Check the e-mail address and send the confirmation again.",
        getting_in.confirmation_not_received,
    ),
    Row(
        "passwordresetnotworking",
        "The last password reset link has ended without being used, or never arrived.",
        "Send a new reset link; the old one has ended.",
        getting_in.password_reset_not_working,
    ),
    Row(
        "impersonationstopped",
        "The last impersonation is over.",
        "Start a new impersonation session.",
        inside.impersonation_stopped,
    ),
    Row(
        "portalpageerror",
        "A page of the portal failed for this customer.",
        "Log the customer out and clear the cache; reset the account if that does not help.",
        inside.portal_page_error,
    ),
    Row(
        "portaladdressnotworking",
        "The portal's address does not work.",
        "Check the portal URL in the organisation's settings, and the portal behind it; then have it checked again.",
        inside.portal_address_not_working,
    ),
    Row(
        "accountdoesnotexist",
        "Someone tried to log in with the customer's address, for which there is no account.",
        "Invite the customer; if an account with another address exists, reset it and let them register again.",
        getting_in.account_does_not_exist,
    ),
    Row(
        "loginlinkusedtooearly",
        "The customer opened a link that was used or had expired.",
        "Send a new invitation or link; each works once.",
        getting_in.login_link_used_too_early,
    ),
    Row(
        "newinvoicesnotvisible",
        "New invoices are not visible: a signed contract has no invoice linked to it.",
        "Check the links between contract and invoices.",
        inside.new_invoices_not_visible,
    ),
)
