/* SPDX-License-Identifier: BSD-2-Clause */
/* See strings.h. */
#include "cli/strings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES (64U << 10)

static size_t hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * 0x100000001b3ULL;
	return (size_t)(h ^ h >> 32);
}

static const char **slot_of(const struct strings *s, const char *text)
{
	size_t i = hash(text) & (s->size - 1);

	while (s->slots[i] && strcmp(s->slots[i], text))
		i = (i + 1) & (s->size - 1);
	return &s->slots[i];
}

static int grow(struct strings *s)
{
	struct strings more = { .size = s->size ? 2 * s->size : 256 };

	more.slots = calloc(more.size, sizeof(*more.slots));
	if (!more.slots)
		return -ENOMEM;
	for (size_t i = 0; i < s->size; i++)
		if (s->slots[i])
			*slot_of(&more, s->slots[i]) = s->slots[i];
	free(s->slots);
	s->slots = more.slots;
	s->size = more.size;
	return 0;
}

/* NULL: no memory. One that is larger than a block has a block of its own. */
static char *room_for(struct strings *s, size_t bytes)
{
	char **blocks;
	char *block;

	if (s->n_blocks && s->used + bytes <= BLOCK_BYTES) {
		s->used += bytes;
		return s->blocks[s->n_blocks - 1] + s->used - bytes;
	}
	blocks = reallocarray(s->blocks, s->n_blocks + 1, sizeof(*blocks));
	if (!blocks)
		return NULL;
	s->blocks = blocks;
	block = malloc(bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES);
	if (!block)
		return NULL;
	s->blocks[s->n_blocks++] = block;
	s->used = bytes;
	return block;
}

int strings_keep(struct strings *s, const char **text)
{
	const char **slot;
	size_t bytes;
	char *copy;

	if (!*text)
		return 0;
	if (2 * (s->n + 1) > s->size && grow(s))
		return -ENOMEM;
	slot = slot_of(s, *text);
	if (!*slot) {
		bytes = strlen(*text) + 1;
		copy = room_for(s, bytes);
		if (!copy)
			return -ENOMEM;
		*slot = memcpy(copy, *text, bytes);
		s->n++;
	}
	*text = *slot;
	return 0;
}

void strings_done(struct strings *s)
{
	for (size_t i = 0; i < s->n_blocks; i++)
		free(s->blocks[i]);
	free(s->blocks);
	free(s->slots);
	*s = (struct strings){};
}
