/*-------------------------------------------------------------------------
 *
 * test_claim_twin.c
 *		An intent whose twin the broker has already is not sent again (F22).
 *
 *-------------------------------------------------------------------------
 */
#include "core/claim.h"
#include "tap.h"

int
main(void)
{
	QtsClaimGate gate = {.exit_mode = QTS_CONTROL_RUNNING, .accepts_orders = true, .now = 1000};
	QtsClaimIntent sale = {
		.manual = true, .market = true, .qty = 10, .held = 10, .sellable = 10, .tradable = true};
	QtsClaimIntent buy = {.entry = true, .manual = true, .market = true, .qty = 10, .tradable = true};

	is(qts_claim_obstacle(&sale, &gate), QTS_OBSTACLE_NONE, "a sale goes");
	is(qts_claim_obstacle(&buy, &gate), QTS_OBSTACLE_NONE, "a buy goes");
	sale.twin = buy.twin = true;
	is(qts_claim_obstacle(&sale, &gate), QTS_OBSTACLE_TWIN, "not with a twin at the broker");
	is(qts_claim_obstacle(&buy, &gate), QTS_OBSTACLE_TWIN, "nor a buy");
	is(qts_obstacle_end(QTS_OBSTACLE_TWIN), QTS_INTENT_FAILED, "it fails, and its rule may decide anew");
	sale.again = true;
	is(qts_claim_obstacle(&sale, &gate), QTS_OBSTACLE_NONE, "an order that was provably refused has no twin");
	return tap_done();
}
