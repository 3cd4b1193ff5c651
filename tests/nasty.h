/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names as somebody would choose them who wants an output to say something else, and what an output may
 * never hold. All fit into the name of a process.
 */
#ifndef NETPROBE_TESTS_NASTY_H
#define NETPROBE_TESTS_NASTY_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const char *const nasty_names[] = {
	/* what terminals obey */
	"\033[31mred",
	"\033]0;PWN\a",
	"a\nb",
	"a\rb",
	"tab\there",
	"\x7f"
	"del",
	"\x01\x02\x1f",
	"\xc2\x9b"
	"31m",
	"\xc2\x85nel",
	/* what turns a line around, or hides */
	"\xe2\x80\xae"
	"rlo",
	"\xe2\x80\xaa"
	"lre",
	"\xe2\x81\xa6"
	"lri",
	"\xe2\x81\xa9pdi",
	"\xe2\x80\x8frlm",
	"\xd8\x9c"
	"alm",
	"\xe2\x80\x8bzwsp",
	"\xe2\x80\x8dzwj",
	"\xef\xbb\xbf"
	"bom",
	"\xc2\xadshy",
	"\xe2\x80\xa8ls",
	"\xe2\x80\xa9ps",
	"\xf3\xa0\x81\x81tag",
	"\xf3\xa0\x84\x80vs17",
	"\xef\xbf\xbenone",
	/* what is no UTF-8 */
	"\xff\xfe\x80"
	"bad",
	"\xc0\xafover",
	"\xed\xa0\x80surr",
	"\xf4\x90\x80\x80"
	"big",
	"cut\xe2\x82",
	/* what would be another field or another line */
	"x uid=0 sock=1",
	"x  y",
	" front",
	"back ",
	" ",
	"x\xc2\xa0y",
	"\xe3\x80\x80wide",
	"\"quote",
	"a\"b\",c d",
	"a\\b c\\",
	"a,b;c|d",
	"\\N",
	"null",
	/* what others read as a command */
	"%s%n%x",
	"$(id)`id`",
	"'; DROP --",
	"</script>",
	"=1+1",
};

#define NASTY_NAMES (sizeof(nasty_names) / sizeof(nasty_names[0]))

/* One character of UTF-8; its bytes, 0: it is none. */
static inline size_t nasty_decode(const char *s, size_t len, unsigned int *ret_cp)
{
	static const unsigned int least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)s;
	size_t n = p[0] < 0x80	 ? 1
		   : p[0] < 0xc0 ? 0
		   : p[0] < 0xe0 ? 2
		   : p[0] < 0xf0 ? 3
		   : p[0] < 0xf8 ? 4
				 : 0;
	unsigned int cp = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	if (!n || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (p[i] & 0x3f);
	}
	*ret_cp = cp;
	return cp < least[n] || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000) ? 0 : n;
}

/*
 * Whether an output is UTF-8 and has none of the characters that names above begin with to act or to hide; ends
 * of lines, and what else is the format's own, are in allowed.
 */
static inline bool nasty_free(const char *s, size_t len, const char *allowed)
{
	unsigned int cp = 0;

	for (size_t i = 0, n; i < len; i += n) {
		n = nasty_decode(s + i, len - i, &cp);
		if (!n)
			return false;
		if (cp < 0x20 && cp && strchr(allowed, (int)cp))
			continue;
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0xad || cp == 0x61c ||
		    (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
		    (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff || cp == 0xfffe ||
		    (cp >= 0xe0000 && cp <= 0xe0fff))
			return false;
	}
	return true;
}

/*
 * Fields of a line that blanks are between; one that begins with a quote goes to the next one without a
 * backslash in front.
 */
static inline size_t nasty_fields(const char *s, size_t len)
{
	size_t n = 0, i = 0;

	while (i < len) {
		if (s[i] == ' ' || s[i] == '\n') {
			i++;
			continue;
		}
		n++;
		if (s[i] == '(') /* a name in brackets is one as well */
			i++;
		if (i < len && s[i] == '"') {
			for (i++; i < len && s[i] != '"'; i++)
				i += s[i] == '\\';
		}
		while (i < len && s[i] != ' ' && s[i] != '\n')
			i++;
	}
	return n;
}

#endif
