{{ order_sequences('customer_orders', of=['customer_id']) }}
