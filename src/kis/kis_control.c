/*-------------------------------------------------------------------------
 *
 * kis_control.c
 *		JSON messages of the WebSocket: acknowledgements, errors, PINGPONG.
 *
 * The key of an acknowledgement belongs to its TR alone; every subscription
 * brings one, also those whose frames are plain (kis-api 5.3).
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "kis/kis_frame.h"
#include "kis/kis_json.h"

static void
control_take_key(json_t *output, QtsKisControl *control)
{
	const char *key = qts_kis_json_string(output, "key");
	const char *iv = qts_kis_json_string(output, "iv");

	if (strlen(key) != QTS_KIS_KEY_LEN || strlen(iv) != QTS_KIS_IV_LEN)
		return;
	memcpy(control->key, key, sizeof(control->key));
	memcpy(control->iv, iv, sizeof(control->iv));
	control->has_key = true;
}

void
qts_kis_control_parse(const char *text, size_t len, QtsKisControl *control)
{
	json_t *root = qts_kis_json_load(text, len);
	json_t *header = qts_kis_json_field(root, "header");
	json_t *body = qts_kis_json_field(root, "body");
	char rt_cd[8];

	memset(control, 0, sizeof(*control));
	control->kind = QTS_KIS_CONTROL_JUNK;
	(void) qts_kis_json_text(header, "tr_id", control->tr_id, sizeof(control->tr_id));
	(void) qts_kis_json_text(header, "tr_key", control->tr_key, sizeof(control->tr_key));
	if (strcmp(control->tr_id, "PINGPONG") == 0)
		control->kind = QTS_KIS_CONTROL_PINGPONG;
	else if (qts_kis_json_text(body, "rt_cd", rt_cd, sizeof(rt_cd)) && rt_cd[0] != '\0')
	{
		(void) qts_kis_json_text(body, "msg_cd", control->msg_cd, sizeof(control->msg_cd));
		(void) qts_kis_json_text(body, "msg1", control->msg, sizeof(control->msg));
		control->kind = strcmp(rt_cd, "0") == 0 ? QTS_KIS_CONTROL_ACK : QTS_KIS_CONTROL_ERROR;
		control_take_key(qts_kis_json_field(body, "output"), control);
	}
	json_decref(root);
}
