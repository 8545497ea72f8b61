"""Six generators that HTP is compared with (paper A.3).

Each file says what is published, what is left open by its source and so ours, and what deviates.
"""
