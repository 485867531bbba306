"""Mails: what they say, how they are sent, and where they are caught when there is no server to send them."""
