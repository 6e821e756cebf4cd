/*-------------------------------------------------------------------------
 *
 * backtest_args.c
 *		Arguments of the backtest functions: profile, changes to it, fill model.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "compat.h"
#include "db/backtest.h"
#include "db/stmt.h"
#include "errcodes.h"

enum
{
	ARG_SYMBOL,
	ARG_ENTRY_TS,
	ARG_QTY,
	ARG_PROFILE,
	ARG_CONFIG,
	ARG_SOURCE,
	ARG_UNTIL,
	ARG_ENTRY_PRICE,
	ARG_MODEL
};

static QtsStmt read_profile = {
	"SELECT e.config::text FROM trade.exit_profiles e WHERE e.profile_id = $1 AND e.is_active", 1, {TEXTOID}};

static int64 announced = 0;

void
qts_backtest_announce(int64 total)
{
	announced = total;
}

static void
backtest_ended(void *arg)
{
	qts_progress_end(((QtsBacktestQuery *) arg)->slot);
}

QtsBacktestQuery *
qts_backtest_query(FmgrInfo *flinfo)
{
	QtsBacktestQuery *query = flinfo->fn_extra;
	MemoryContext cxt;

	if (query != NULL)
		return query;
	cxt = AllocSetContextCreate(flinfo->fn_mcxt, "qts backtest", ALLOCSET_DEFAULT_SIZES);
	query = MemoryContextAllocZero(cxt, sizeof(QtsBacktestQuery));
	query->cxt = cxt;
	query->slot = qts_progress_begin(announced);
	announced = 0;
	query->ended = (MemoryContextCallback){.func = backtest_ended, .arg = query};
	MemoryContextRegisterResetCallback(cxt, &query->ended);
	query->history = qts_history_create(cxt);
	flinfo->fn_extra = query;
	return query;
}

/* Is it what was read last?  Else it is remembered as such. */
static bool
text_same(QtsBacktestQuery *query, QtsBacktestText *seen, const void *bytes, Size length)
{
	if (seen->text != NULL && seen->length == length && memcmp(seen->text, bytes, length) == 0)
		return true;
	if (seen->text != NULL)
		pfree(seen->text);
	seen->text = NULL;
	seen->text = MemoryContextAlloc(query->cxt, length + 1);
	memcpy(seen->text, bytes, length);
	seen->length = length;
	return false;
}

static bool
varlena_same(QtsBacktestQuery *query, QtsBacktestText *seen, FunctionCallInfo fcinfo, int arg)
{
	struct varlena *value;

	if (PG_ARGISNULL(arg))
		return text_same(query, seen, "", 0);
	value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(arg));
	return text_same(query, seen, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

static char *
arg_json(FunctionCallInfo fcinfo, int arg)
{
	return DatumGetCString(DirectFunctionCall1(jsonb_out, PG_GETARG_DATUM(arg)));
}

static char *
profile_config(const char *profile_id)
{
	Datum args[1] = {CStringGetTextDatum(profile_id)};
	MemoryContext caller = CurrentMemoryContext;
	char *config = NULL;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	if (read_profile.plan == NULL)
	{
		read_profile.plan = SPI_prepare(read_profile.sql, read_profile.nargs, read_profile.argtypes);
		SPI_keepplan(read_profile.plan);
	}
	if (SPI_execute_plan(read_profile.plan, args, NULL, true, 1) == SPI_OK_SELECT && SPI_processed == 1)
		config = MemoryContextStrdup(caller, qts_col_text(0, 1));
	SPI_finish();
	if (config == NULL)
		ereport(ERROR, (errcode(QTS_ERRCODE_INVALID), errmsg("unknown exit profile \"%s\"", profile_id),
						errdetail("No active profile has this name."),
						errhint("SELECT profile_id FROM trade.exit_profiles lists them.")));
	return config;
}

/* What changes says is put over the profile, key by key. */
static char *
profile_merged(const char *config, const char *changes)
{
	char *merged = qts_profile_over(config, changes);
	char *copy = pstrdup(merged != NULL ? merged : changes);

	/* what is not an object is refused by the reader, which says what it should be */
	free(merged);
	return copy;
}

pg_noreturn static void args_refuse(const char *what, const QtsProfileError *error);

static void
args_refuse(const char *what, const QtsProfileError *error)
{
	ereport(ERROR, (errcode(QTS_ERRCODE_INVALID), errmsg("invalid %s: %s", what, error->field),
					errdetail("%s is %s.", error->field, error->detail), errhint("%s", error->hint)));
}

static void
args_profile(FunctionCallInfo fcinfo, QtsBacktestQuery *query, QtsBacktestArgs *args)
{
	bool same = varlena_same(query, &query->config, fcinfo, ARG_CONFIG);
	QtsProfileError error;
	char *config;

	args->profile_id = text_to_cstring(PG_GETARG_TEXT_PP(ARG_PROFILE));
	if (text_same(query, &query->profile_id, args->profile_id, strlen(args->profile_id)) && same)
		return;
	/* an error leaves nothing behind that the next call could take for parsed */
	query->config.length = PG_INT32_MAX;
	config = profile_config(args->profile_id);
	if (!PG_ARGISNULL(ARG_CONFIG))
		config = profile_merged(config, arg_json(fcinfo, ARG_CONFIG));
	if (!qts_profile_read(config, &query->profile, &error))
		ereport(ERROR, (errcode(QTS_ERRCODE_INVALID), errmsg("invalid exit profile: %s", error.field),
						errdetail("%s is %s.", error.field, error.detail), errhint("%s.", error.hint)));
	(void) varlena_same(query, &query->config, fcinfo, ARG_CONFIG);
}

static void
args_model(FunctionCallInfo fcinfo, QtsBacktestQuery *query)
{
	QtsProfileError error;

	if (varlena_same(query, &query->model_text, fcinfo, ARG_MODEL))
		return;
	if (!qts_model_read(PG_ARGISNULL(ARG_MODEL) ? "{}" : arg_json(fcinfo, ARG_MODEL), &query->model, &error))
	{
		query->model_text.length = PG_INT32_MAX;
		args_refuse("fill model", &error);
	}
}

static QtsHistorySource
args_source(const char *name)
{
	if (strcmp(name, "ticks") == 0)
		return QTS_HISTORY_TICKS;
	if (strcmp(name, "1m") == 0)
		return QTS_HISTORY_1M;
	if (strcmp(name, "1d") == 0)
		return QTS_HISTORY_1D;
	ereport(ERROR, (errcode(QTS_ERRCODE_INVALID), errmsg("invalid source \"%s\"", name),
					errdetail("There are no such prices."), errhint("Use ticks, 1m or 1d.")));
}

static QtsPrice
args_price(FunctionCallInfo fcinfo)
{
	Datum scaled;
	QtsPrice price;

	if (PG_ARGISNULL(ARG_ENTRY_PRICE))
		return 0;
	scaled = DirectFunctionCall2(numeric_mul, PG_GETARG_DATUM(ARG_ENTRY_PRICE),
								 NumericGetDatum(int64_to_numeric(QTS_PRICE_SCALE)));
	price = DatumGetInt64(DirectFunctionCall1(numeric_int8, scaled));
	if (price <= 0 || price > QTS_PRICE(QTS_BAR_MAX_KRW))
		ereport(ERROR, (errcode(QTS_ERRCODE_INVALID), errmsg("invalid entry_price"),
						errdetail("It is not a price in KRW."),
						errhint("Leave it out to buy at what the market gives.")));
	return price;
}

bool
qts_backtest_args(FunctionCallInfo fcinfo, QtsBacktestQuery *query, QtsBacktestArgs *args)
{
	text *symbol;

	if (PG_ARGISNULL(ARG_SYMBOL) || PG_ARGISNULL(ARG_ENTRY_TS) || PG_ARGISNULL(ARG_QTY) ||
		PG_ARGISNULL(ARG_PROFILE) || PG_ARGISNULL(ARG_SOURCE))
		return false;
	symbol = PG_GETARG_TEXT_PP(ARG_SYMBOL);
	memset(args, 0, sizeof(*args));
	/* one that is too long is no symbol: there are no prices of it */
	text_to_cstring_buffer(symbol, args->symbol, sizeof(args->symbol));
	args->entry_at = PG_GETARG_TIMESTAMPTZ(ARG_ENTRY_TS);
	args->qty = PG_GETARG_INT64(ARG_QTY);
	args->until = PG_ARGISNULL(ARG_UNTIL) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(ARG_UNTIL);
	if (args->qty <= 0 || args->qty > INT64CONST(1000000000) || TIMESTAMP_NOT_FINITE(args->entry_at))
		ereport(ERROR, (errcode(QTS_ERRCODE_INVALID), errmsg("invalid entry"),
						errdetail("qty is " INT64_FORMAT ".", args->qty),
						errhint("Give a number of shares from 1 to 1000000000 and a finite time.")));
	args->source = args_source(text_to_cstring(PG_GETARG_TEXT_PP(ARG_SOURCE)));
	args->entry_price = args_price(fcinfo);
	args_profile(fcinfo, query, args);
	args_model(fcinfo, query);
	return true;
}
