"""How often something may be asked for: counted by `limits`, in this process or on a server that all nodes share.

When the shared server is away, each process counts for itself until it is back: nobody is locked out for want of a
counter, and a flood still meets a limit.
"""

from app.throttles.addresses import address_key
from app.throttles.counting import Limit, Throttled, Throttles

__all__ = ["Limit", "Throttled", "Throttles", "address_key"]
