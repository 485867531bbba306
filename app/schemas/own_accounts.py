"""What customers change about their own account."""

from app.schemas.base import Email, Given, Password
from app.services.own_accounts import EmailChange, PasswordChange


class PasswordChangeGiven(Given):
    """The page that changes the password."""

    model_config = Given.model_config | {
        "json_schema_extra": {
            "examples": [
                {
                    "currentPassword": "seven warm radiators",
                    "password": "nine windmills at sea",
                    "passwordConfirmation": "nine windmills at sea",
                }
            ]
        }
    }

    current_password: Password
    password: Password
    password_confirmation: Password | None = None

    def change(self) -> PasswordChange:
        """For the service."""
        return PasswordChange(self.current_password, self.password, self.password_confirmation)


class EmailChangeGiven(Given):
    """The page that changes the address."""

    model_config = Given.model_config | {
        "json_schema_extra": {
            "examples": [{"currentPassword": "seven warm radiators", "email": "amelie.dubois@example.org"}]
        }
    }

    current_password: Password
    email: Email

    def change(self) -> EmailChange:
        """For the service."""
        return EmailChange(self.current_password, self.email)
