"""Every SQL statement of the service. Repositories answer named questions; each statement names the organisation."""
