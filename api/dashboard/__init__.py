"""The pages for people: what the API says, to be looked at in a browser."""
