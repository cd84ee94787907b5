"""What the end-to-end tests and tools/demo share: real processes on free loopback ports."""
