"""What a build changes, by day, and the closed months among it."""

from datetime import date

from psycopg import Connection

from pipeline.builds.plan import Build


def record_changes(connection: Connection, build: Build) -> None:
    """Write down the change by day, before the published side is gone.

    A delta's change is its signed lines; a full build's is the difference of the days' sums.
    """
    if build.is_full:
        connection.execute(
            """
            insert into core.build_changes
            select
                %s, sale_date, null,
                greatest(sum(sign * line_count), 0),
                greatest(-sum(sign * line_count), 0),
                sum(sign * gross_revenue),
                sum(sign * discounts),
                sum(sign * returns),
                sum(sign * net_revenue),
                sum(sign * shipping),
                sum(sign * units),
                sum(sign * units_returned)
            from (
                select
                    1 as sign, sale_date, line_count, gross_revenue, discounts, returns, net_revenue,
                    shipping, units, units_returned
                from candidate.revenue_daily
                union all
                select
                    -1 as sign, sale_date, line_count, gross_revenue, discounts, returns, net_revenue,
                    shipping, units, units_returned
                from marts.revenue_daily
            ) as sides
            group by sale_date
            having (
                sum(sign * line_count), sum(sign * gross_revenue), sum(sign * discounts),
                sum(sign * returns), sum(sign * shipping), sum(sign * units)
            ) <> (0, 0, 0, 0, 0, 0)
            """,
            (build.build_id,),
        )
        return
    connection.execute(
        """
        insert into core.build_changes
        select
            %s, sale_date, change_batch_id,
            count(*) filter (where sign = 1),
            count(*) filter (where sign = -1),
            sum(sign * gross_revenue),
            sum(sign * discounts),
            sum(sign * returns),
            sum(sign * net_revenue),
            sum(sign * shipping),
            coalesce(sum(sign * quantity) filter (where quantity > 0), 0),
            coalesce(sum(-sign * quantity) filter (where quantity < 0), 0)
        from candidate.int_line_changes
        group by sale_date, change_batch_id
        """,
        (build.build_id,),
    )


def closed_months_of(connection: Connection, build_id: int) -> tuple[date, ...]:
    """The closed months whose numbers a build changed, by their first days.

    A delivery that may change a month opens it, so nothing but other models, or what the guard of closed
    months does not see, leads to any.
    """
    rows = connection.execute(
        """
        with days as (
            select date_trunc('month', sale_date)::date as month
            from core.build_changes
            where build_id = %s
            group by sale_date
            having (
                sum(lines_added - lines_removed), sum(gross_revenue), sum(discounts), sum(returns),
                sum(net_revenue), sum(shipping), sum(units), sum(units_returned)
            ) <> (0, 0, 0, 0, 0, 0, 0, 0)
        )

        select distinct month from days
        inner join raw.closed_months using (month)
        order by month
        """,
        (build_id,),
    ).fetchall()
    return tuple(month for (month,) in rows)
