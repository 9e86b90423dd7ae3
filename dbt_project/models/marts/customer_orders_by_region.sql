{{ order_sequences('customer_orders_by_region', of=['customer_id', 'region']) }}
