/*-------------------------------------------------------------------------
 *
 * import_source.c
 *		Lines of a text or of a server file, plain or gzip.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/stat.h>
#include <zlib.h>

#include "miscadmin.h"
#include "storage/fd.h"

#include "db/import_source.h"
#include "errcodes.h"

#define SOURCE_PIECE 65536

struct QtsImportSource
{
	const char *path; /* NULL = a text */
	FILE *file;
	bool gzip;
	bool ended;	 /* nothing more to read */
	bool inside; /* of a gzip member */
	z_stream z;
	char *packed;
	const char *at; /* what is read and not yet handed out */
	size_t left;
	char *piece;
	char *line;
};

static void *
source_alloc(void *context, unsigned items, unsigned size)
{
	return MemoryContextAlloc(context, (Size) items * size);
}

static void
source_free(void *context, void *memory)
{
	pfree(memory);
}

static QtsImportSource *
source_new(void)
{
	QtsImportSource *source = palloc0(sizeof(QtsImportSource));

	source->line = palloc(IMPORT_LINE + 1);
	return source;
}

QtsImportSource *
qts_source_text(const char *data, size_t len)
{
	QtsImportSource *source = source_new();

	source->at = data;
	source->left = len;
	source->ended = true;
	return source;
}

/* Only regular files: a pipe could hold the backend for ever. */
static void
source_check(QtsImportSource *source)
{
	struct stat st;

	if (fstat(fileno(source->file), &st) != 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not stat file \"%s\": %m", source->path)));
	if (!S_ISREG(st.st_mode))
		ereport(ERROR,
				(errcode(QTS_ERRCODE_INVALID), errmsg("\"%s\" is not a regular file", source->path),
				 errdetail("Only plain and gzip files can be imported."),
				 errhint("Give the path of a file on the server, absolute or below its data directory.")));
}

QtsImportSource *
qts_source_file(const char *path)
{
	QtsImportSource *source = source_new();
	int c1;
	int c2;

	source->path = pstrdup(path);
	source->file = AllocateFile(path, PG_BINARY_R);
	if (source->file == NULL)
		ereport(ERROR,
				(errcode_for_file_access(), errmsg("could not open file \"%s\" for reading: %m", path)));
	source_check(source);
	c1 = getc(source->file);
	c2 = getc(source->file);
	source->gzip = c1 == 0x1f && c2 == 0x8b;
	rewind(source->file);
	source->piece = palloc(SOURCE_PIECE);
	if (source->gzip)
	{
		source->packed = palloc(SOURCE_PIECE);
		source->z.zalloc = source_alloc;
		source->z.zfree = source_free;
		source->z.opaque = CurrentMemoryContext;
		source->inside = true;
		if (inflateInit2(&source->z, 15 + 16) != Z_OK)
			elog(ERROR, "could not initialise zlib");
	}
	return source;
}

static size_t
source_fread(QtsImportSource *source, char *to)
{
	size_t n = fread(to, 1, SOURCE_PIECE, source->file);

	if (n == 0 && ferror(source->file))
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not read file \"%s\": %m", source->path)));
	return n;
}

static void
source_broken(const QtsImportSource *source, const char *why)
{
	ereport(ERROR, (errcode(QTS_ERRCODE_INVALID), errmsg("file \"%s\" is not whole", source->path),
					errdetail("%s.", why), errhint("Nothing was imported; fetch the file again.")));
}

/* A file may be several members, one after the other. */
static size_t
source_inflate(QtsImportSource *source)
{
	z_stream *z = &source->z;

	z->next_out = (Bytef *) source->piece;
	z->avail_out = SOURCE_PIECE;
	while (z->avail_out == SOURCE_PIECE)
	{
		int rc;

		CHECK_FOR_INTERRUPTS();
		if (z->avail_in == 0)
		{
			z->next_in = (Bytef *) source->packed;
			z->avail_in = (uInt) source_fread(source, source->packed);
			if (z->avail_in == 0 && source->inside)
				source_broken(source, "The compressed data end too early");
			if (z->avail_in == 0)
				return 0;
		}
		source->inside = true;
		rc = inflate(z, Z_NO_FLUSH);
		if (rc == Z_STREAM_END)
		{
			source->inside = false;
			if (inflateReset(z) != Z_OK)
				source_broken(source, "The decompression could not go on");
		}
		else if (rc != Z_OK && rc != Z_BUF_ERROR)
			source_broken(source, "The compressed data are damaged");
	}
	return SOURCE_PIECE - z->avail_out;
}

static bool
source_fill(QtsImportSource *source)
{
	if (source->ended)
		return false;
	source->left = source->gzip ? source_inflate(source) : source_fread(source, source->piece);
	source->at = source->piece;
	source->ended = source->left == 0;
	return source->left > 0;
}

char *
qts_source_line(QtsImportSource *source, int *len, bool *cut)
{
	size_t have = 0;
	bool any = false;

	*cut = false;
	while (source->left > 0 || source_fill(source))
	{
		const char *end = memchr(source->at, '\n', source->left);
		size_t n = end ? (size_t) (end - source->at) : source->left;
		size_t room = Min(n, IMPORT_LINE - have);

		any = true;
		memcpy(source->line + have, source->at, room);
		have += room;
		*cut |= room < n;
		source->at += n + (end != NULL);
		source->left -= n + (end != NULL);
		if (end != NULL)
			break;
	}
	if (!any)
		return NULL;
	if (have > 0 && source->line[have - 1] == '\r')
		have--;
	source->line[have] = '\0';
	*len = (int) have;
	return source->line;
}

void
qts_source_close(QtsImportSource *source)
{
	if (source->gzip)
		inflateEnd(&source->z);
	if (source->file != NULL)
		FreeFile(source->file);
}
