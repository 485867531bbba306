"""Portal Access: the service behind the customer-portal card."""
