"""Accounts: who may use the service, what they may, and the record of what they did."""
