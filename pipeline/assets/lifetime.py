"""The lifetime value models of a build."""

import dagster as dg

from pipeline.assets.session import RefreshSession
from pipeline.lifetime.stored import fit_build


@dg.asset(
    key=["core", "lifetime_value_fits"],
    group_name="published",
    deps=[["marts", "customer_orders"], ["core", "fct_order_lines"]],
    kinds={"postgres", "scipy"},
)
def lifetime_value_fits(
    context: dg.AssetExecutionContext, refresh_request: dg.ResourceParam[RefreshSession]
) -> dg.MaterializeResult[None]:
    """How often customers buy and for how much, fitted once the numbers are visible to readers."""
    session = refresh_request
    assert session.build is not None
    build_id = session.build.build_id
    row = session.connection.execute(
        "select data_as_of from core.builds where build_id = %s", (build_id,)
    ).fetchone()
    if row is None or row[0] is None:
        return dg.MaterializeResult(metadata={"models": 0})
    with session.stage("lifetime value"):
        models = fit_build(session.connection, build_id, row[0])
    for model in models:
        if model.reason:
            context.log.info(f"Lifetime value until {model.calibration_end}: {model.reason}")
    newest = models[-1]
    return dg.MaterializeResult(
        metadata={
            "models": len(models),
            "customers": newest.customers,
            "repeat_customers": newest.repeat_customers,
            "seconds": session.seconds["lifetime value"],
        }
    )
