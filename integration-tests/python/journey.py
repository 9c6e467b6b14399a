"""From an empty market to a signed lease and its first invoice, by a client that shares no code with Gridlease.

Usage: journey.py INVENTORY LEASING BILLING TOKEN_COMMAND...

The first three are addresses; TOKEN_COMMAND is a command that prints a token when `--org ORG --role ROLE` is appended.
The servers run with a test clock. Prints one line per step and ends with 0 if every step held.
"""

import datetime
import subprocess
import sys
import uuid

from gridlease_client import Gridlease, Refused

INVENTORY = "gridlease.inventory.v1"
LEASING = "gridlease.leasing.v1"
BILLING = "gridlease.billing.v1"


def day(text):
    year, month, date = map(int, text.split("-"))
    return {"year": year, "month": month, "day": date}


def request_id():
    return str(uuid.uuid4())


def refused(reason, code, act, *args, **fields):
    """`act` must be refused with exactly this reason and code; gives the refusal."""
    try:
        answer = act(*args, **fields)
    except Refused as refusal:
        assert (refusal.reason, refusal.code) == (reason, code), f"expected {code} {reason}, got {refusal}"
        return refusal
    raise AssertionError(f"expected {reason}, but it was allowed: {answer}")


def eventually(what, probe, seconds=15):
    end = datetime.datetime.now() + datetime.timedelta(seconds=seconds)
    while datetime.datetime.now() < end:
        found = probe()
        if found:
            return found
    raise AssertionError(f"not within {seconds} s: {what}")


def main(inventory_at, leasing_at, billing_at, *token_command):
    def token(org, role):
        printed = subprocess.run(
            [*token_command, "--org", org, "--role", role], check=True, capture_output=True, text=True
        )
        return printed.stdout.strip()

    inventory, leasing, billing = Gridlease(inventory_at), Gridlease(leasing_at), Gridlease(billing_at)
    for server, service in [(inventory, f"{INVENTORY}.SiteService"), (billing, f"{BILLING}.InvoiceService")]:
        assert service in server.services(), server.services()
    print("reflection lists the services of each server")

    # Names of its own, so that the journey can be walked twice on one database.
    mark = uuid.uuid4().hex[:8]
    operator, tenant = f"operators/north-{mark}", f"tenants/acme-{mark}"
    platform = token("platform", "platform_admin")
    admin, sales = token(operator, "operator_admin"), token(operator, "sales")
    finance, acme = token(operator, "finance"), token(tenant, "tenant")
    stranger = token(f"tenants/other-{mark}", "tenant")

    refused(
        "UNAUTHENTICATED", "UNAUTHENTICATED", inventory.call, f"{INVENTORY}.SiteService/ListOperators"
    )
    print("without a token nothing is answered")

    inventory.with_token(platform).call(
        f"{INVENTORY}.SiteService/CreateOperator",
        operator_id=operator.split("/")[1],
        operator={"display_name": "North Power"},
        request_id=request_id(),
    )
    leasing.with_token(platform).call(
        f"{LEASING}.TenantService/CreateTenant",
        tenant_id=tenant.split("/")[1],
        tenant={"display_name": "Acme AI"},
        request_id=request_id(),
    )
    of_admin = inventory.with_token(admin)
    site, block = f"{operator}/sites/rockdale", f"{operator}/sites/rockdale/blocks/hall-a"
    of_admin.call(
        f"{INVENTORY}.SiteService/CreateSite",
        parent=operator,
        site_id="rockdale",
        site={
            "display_name": "Rockdale",
            "country_code": "US",
            "grid_iso": "ERCOT",
            "time_zone": "America/Chicago",
            "grid_steps": [{"from_date": day("2026-01-01"), "contracted_kw": 100_000}],
        },
        request_id=request_id(),
    )
    of_admin.call(
        f"{INVENTORY}.SiteService/CreateBlock",
        parent=site,
        block_id="hall-a",
        block={
            "display_name": "Hall A",
            "cooling_kinds": ["COOLING_KIND_AIR", "COOLING_KIND_LIQUID"],
            "redundancy": "REDUNDANCY_N_PLUS_1",
            "lease_type": "LEASE_TYPE_TURNKEY",
        },
        request_id=request_id(),
    )
    of_admin.call(
        f"{INVENTORY}.SiteService/CreatePhase",
        parent=block,
        phase_id="one",
        phase={
            "capacity": {"critical_it_kw": 40_000, "air_cooling_kw": 10_000, "liquid_cooling_kw": 40_000},
            "ready_for_service_date": day("2027-01-01"),
            "date_basis": "DATE_BASIS_FORECAST",
        },
        request_id=request_id(),
    )
    print("an operator, a tenant, a site, a block and its capacity are there")

    found = inventory.with_token(acme).call(
        f"{INVENTORY}.CapacityService/SearchCapacity",
        critical_it_kw=40_000,
        liquid_share_percent=85,
        start_from_date=day("2027-01-01"),
        term_months=120,
        operators=[operator],
        # What was just written counts: search follows the feed and is a moment behind.
        fresh_from_time=datetime.datetime.now(datetime.timezone.utc).isoformat(),
    )
    assert [offer["block"] for offer in found["free_and_dated"]] == [block], found
    print("the tenant finds 40 MW, 85% liquid, free and dated")

    load = {"critical_it_kw": 40_000, "air_cooling_kw": 6_000, "liquid_cooling_kw": 34_000}
    proposal = {
        "parent": operator,
        "lease_id": "acme-40",
        "tenant": tenant,
        "terms": {
            "currency_code": "USD",
            "structure": "LEASE_STRUCTURE_NNN",
            "premises": [
                {
                    "block": block,
                    "quantity_steps": [{"from_date": day("2027-01-01"), "capacity": load}],
                    "commencement_date": day("2027-01-01"),
                    "end_date": day("2037-01-01"),
                    "base_rate_per_kw_month": {"value": "125"},
                }
            ],
            "escalator": {"percent": {"value": "3"}, "basis": "ESCALATION_BASIS_BLOCK_ANNIVERSARY"},
            "billing_frequency": "BILLING_FREQUENCY_MONTHLY",
            "payment_terms_days": 30,
            "term_months": 120,
        },
        "hold_duration": "3600s",
        "request_id": request_id(),
    }
    propose = f"{LEASING}.LeaseService/ProposeLease"
    lease = leasing.with_token(sales).call(propose, **proposal)["lease"]
    again = leasing.with_token(sales).call(propose, **proposal)["lease"]
    assert again == lease and lease["state"] == "LEASE_STATE_PROPOSED", (lease, again)
    print("sales proposes; the same request again gives the same answer")

    full = refused(
        "CAPACITY_EXHAUSTED",
        "FAILED_PRECONDITION",
        leasing.with_token(sales).call,
        propose,
        **{**proposal, "lease_id": "acme-41", "request_id": request_id()},
    )
    assert full.metadata["block"] == block and full.metadata["availableKw"] == "0", full
    print(f"the same hall is not promised twice: {full.message}")

    sign = f"{LEASING}.LeaseService/SignLease"
    signature = {
        "name": lease["name"],
        "terms_hash": lease["terms_hash"],
        "signatory": {"name": "Ada Marsh", "title": "Director"},
    }
    refused("RESOURCE_NOT_FOUND", "NOT_FOUND", leasing.with_token(stranger).call, sign, **signature, request_id=request_id())
    refused("ROLE_NOT_ALLOWED", "PERMISSION_DENIED", leasing.with_token(sales).call, sign, **signature, request_id=request_id())
    leasing.with_token(acme).call(sign, **signature, request_id=request_id())
    signed = leasing.with_token(admin).call(sign, **signature, request_id=request_id())["lease"]
    assert signed["state"] in ("LEASE_STATE_EFFECTIVE", "LEASE_STATE_ACTIVE"), signed
    print("both sides sign the same terms; the lease is effective")

    clock = "gridlease.common.v1.ClockService/AdvanceTime"
    for server in (inventory, leasing, billing):
        server.with_token(platform).call(clock, time="2027-01-02T12:00:00Z")
    get = f"{LEASING}.LeaseService/GetLease"
    eventually(
        "the block commences",
        lambda: leasing.with_token(acme).call(get, name=lease["name"])["lease"]["state"] == "LEASE_STATE_ACTIVE",
    )
    print("the business clock passes the commencement date; rent is due")

    of_finance = billing.with_token(finance)

    def first_run():
        run = of_finance.call(
            f"{BILLING}.InvoiceService/StartBillingRun",
            parent=operator,
            billing_month={"year": 2027, "month": 1},
            request_id=request_id(),
        )
        return run if run.get("invoices") else None

    run = eventually("billing has read the lease's commencement", first_run)
    issued = of_finance.call(
        f"{BILLING}.InvoiceService/IssueBillingRun", name=run["billing_run"]["name"], request_id=request_id()
    )["invoices"]
    assert [i["total"] for i in issued] == [{"currency_code": "USD", "units": "5000000"}], issued
    print(f"invoice {issued[0]['number']}: USD 5,000,000.00 = 40,000 kW x 125.00")

    balance = of_finance.call(f"{BILLING}.ReportService/GetTrialBalance", parent=operator, as_of_date=day("2027-01-31"))
    print(f"trial balance: {balance}")

    watched = leasing.with_token(acme).watch(f"{LEASING}.EventService/WatchEvents", timeout=5)
    kinds = []
    for answer in watched:
        if "event" in answer:
            kinds.append(answer["event"]["type"])
        elif kinds:
            break
    assert kinds, "the tenant sees the events of its lease"
    print(f"the tenant's events: {', '.join(kinds)}")
    print("journey: every step held")


if __name__ == "__main__":
    main(*sys.argv[1:])
