"""Password resets: nothing to choose for the employee, a new password for the customer."""

from app.schemas.base import Given, Password, Token
from app.services.password_resets import NewPassword


class SendPasswordReset(Given):
    """Nothing: the mail goes to the account's own address, whatever is wanted."""

    model_config = Given.model_config | {"json_schema_extra": {"examples": [{}]}}


class NewPasswordGiven(Given):
    """The page that a reset link opens."""

    model_config = Given.model_config | {
        "json_schema_extra": {
            "examples": [
                {
                    "token": "IjAxOTlkOGEwIg.b3V0LW9mLXRoZS1tYWls",
                    "password": "nine cold windmills",
                    "passwordConfirmation": "nine cold windmills",
                }
            ]
        }
    }

    token: Token
    password: Password
    password_confirmation: Password | None = None

    def new_password(self) -> NewPassword:
        """For the service."""
        return NewPassword(self.token, self.password, self.password_confirmation)
