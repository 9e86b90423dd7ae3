"""What a build takes in, the candidate that dbt makes of it, and its publication."""
