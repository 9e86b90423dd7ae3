"""`tillhouse up`: start the services, watch them, and stop all of them."""
