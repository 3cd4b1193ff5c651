/* SPDX-License-Identifier: BSD-2-Clause */
/* See first.h. */
#include "name/first.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define TLS_HANDSHAKE 22
#define TLS_CLIENT_HELLO 1
#define TLS_SERVER_NAME 0
#define NAME_MAX_LEN 253

static bool is_name_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/* A host name, not an address: letters somewhere, no empty label. */
static int take_name(const uint8_t *p, size_t n, char *name)
{
	char text[FIRST_NAME_TEXT];
	bool letters = false;

	if (n && p[n - 1] == '.')
		n--;
	if (!n || n > NAME_MAX_LEN || p[0] == '.')
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = p[i];

		if (c >= 'A' && c <= 'Z')
			c = (uint8_t)(c + 'a' - 'A');
		if (!is_name_char(c) || (c == '.' && i && p[i - 1] == '.'))
			return -EBADMSG;
		letters |= c >= 'a' && c <= 'z';
		text[i] = (char)c;
	}
	if (!letters)
		return -ENOENT;
	text[n] = '\0';
	memcpy(name, text, n + 1);
	return 0;
}

/* What is left to be read, and of it, what the message says there is. */
struct span {
	const uint8_t *p;
	size_t left;
};

static int get(struct span *s, size_t bytes, size_t *ret)
{
	size_t v = 0;

	if (s->left < bytes)
		return -ENODATA;
	for (size_t i = 0; i < bytes; i++)
		v = v << 8 | s->p[i];
	s->p += bytes;
	s->left -= bytes;
	*ret = v;
	return 0;
}

/* Past a field whose length stands in front of it. */
static int skip(struct span *s, size_t bytes)
{
	size_t n;
	int r = get(s, bytes, &n);

	if (!r && n > s->left)
		r = -ENODATA;
	if (!r) {
		s->p += n;
		s->left -= n;
	}
	return r;
}

static int server_name(struct span ext, char *name)
{
	size_t list, type, n;
	int r = get(&ext, 2, &list);

	r = r ?: get(&ext, 1, &type);
	r = r ?: get(&ext, 2, &n);
	if (r || type || n + 3 > list || n > ext.left)
		return -EBADMSG;
	return take_name(ext.p, n, name);
}

static int extensions(struct span *s, char *name)
{
	size_t total;
	int r = get(s, 2, &total);

	while (!r && total >= 4) {
		size_t type, n;

		r = get(s, 2, &type) ?: get(s, 2, &n);
		if (r)
			break;
		if (n + 4 > total)
			return -EBADMSG;
		total -= n + 4;
		if (n > s->left)
			return -ENODATA;
		if (type == TLS_SERVER_NAME)
			return server_name((struct span){ s->p, n }, name);
		s->p += n;
		s->left -= n;
	}
	return r ? r : total ? -EBADMSG : -ENOENT;
}

int first_tls(const uint8_t *data, size_t len, char name[FIRST_NAME_TEXT])
{
	struct span s = { data, len };
	size_t type, version, record, handshake, body, hello;
	bool cut;
	int r = get(&s, 1, &type);

	if (!r && type != TLS_HANDSHAKE)
		return -EBADMSG;
	r = r ?: get(&s, 2, &version);
	if (!r && version >> 8 != 3)
		return -EBADMSG;
	r = r ?: get(&s, 2, &record);
	r = r ?: get(&s, 1, &handshake);
	if (!r && handshake != TLS_CLIENT_HELLO)
		return -EBADMSG;
	r = r ?: get(&s, 3, &body);
	r = r ?: get(&s, 2, &hello);
	if (!r && (hello >> 8 != 3 || body < 38))
		return -EBADMSG;
	cut = !r && s.left < body - 2;
	if (!r && !cut)
		s.left = body - 2;
	if (!r && s.left < 32)
		return -ENODATA;
	if (r)
		return r;
	s.p += 32;
	s.left -= 32;
	r = skip(&s, 1);      /* session */
	r = r ?: skip(&s, 2); /* ciphers */
	r = r ?: skip(&s, 1); /* compression */
	if (!r && !s.left)
		return cut ? -ENODATA : -ENOENT;
	return r ? r : extensions(&s, name);
}

/* The end of the line that begins there; NULL where it is missing. */
static const uint8_t *line_end(const uint8_t *p, const uint8_t *end)
{
	return p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
}

static bool is_request(const uint8_t *p, size_t n)
{
	static const char *const methods[] = { "GET ",	  "POST ",    "PUT ",	"HEAD ",
					       "DELETE ", "OPTIONS ", "PATCH ", "CONNECT " };

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		size_t m = strlen(methods[i]);

		if (n >= m && !memcmp(p, methods[i], m))
			return true;
	}
	return false;
}

static int host_value(const uint8_t *p, const uint8_t *end, char *name)
{
	const uint8_t *colon;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	while (end > p && (end[-1] == '\r' || end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (p < end && *p == '[')
		return -ENOENT; /* an IPv6 address */
	colon = p < end ? memchr(p, ':', (size_t)(end - p)) : NULL;
	return take_name(p, (size_t)((colon ? colon : end) - p), name);
}

int first_http(const uint8_t *data, size_t len, char name[FIRST_NAME_TEXT])
{
	const uint8_t *p = data, *end = data + len, *nl;

	if (!is_request(p, len))
		return -EBADMSG;
	nl = line_end(p, end);
	while (nl) {
		p = nl + 1;
		nl = line_end(p, end);
		if (!nl)
			break;
		if (nl == p || (nl == p + 1 && *p == '\r'))
			return -ENOENT; /* the headers are over */
		if (nl - p > 5 && !strncasecmp((const char *)p, "host:", 5))
			return host_value(p + 5, nl, name);
	}
	return -ENODATA;
}
