"""Portal Access: the service behind the customer-portal card."""

VERSION = "0.1.0"
