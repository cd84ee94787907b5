"""Ends, fails and cuts off Certwright at every step of an issuance, and judges what is left (I2).

tracer: tests/crash/crash-at, which does it at a system call. scenes: what is running when it happens.
store_view and checks: what must be true afterwards. points: one attempt and its verdict. proxy and
network: the same for the requests to the CA. tools/crash-matrix tries everything, test_crash.py a few.
"""
