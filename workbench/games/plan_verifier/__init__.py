"""The second, small program for decisions against the worst case: it checks a plan's certificate in exact integers.

It imports nothing else of the workbench and reads a certificate as if its author meant to deceive: :mod:`.document`
reads strict JSON, :mod:`.grammar` turns it into the immutable objects of :mod:`.model` and bounds the cost of what is
to come, :mod:`.proofs` proves three claims. *The plan is worth at least a*: a mixture of recourses, each within the
plan and the capacity, earns at least a against every scenario. *The plan is worth at most b*: against one scenario no
recourse earns more. *No plan is worth more than c*: a tree over the items that covers all plans, and for each leaf one
scenario against which nothing in the leaf earns more, found by an integer dynamic programme; or, in version 2, a price
of capacity that bounds the leaf for all prices of nature's budget in a strip.
"""

from .document import FORMAT, VERSION, WITH_PRICES, Refused, digest
from .verify import Report, check, verify

__all__ = ["FORMAT", "VERSION", "WITH_PRICES", "Refused", "Report", "check", "digest", "verify"]
