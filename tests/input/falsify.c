/* SPDX-License-Identifier: MIT */
/*
 * Makes a false image whose checksums are right.
 *
 *   falsify list IMAGE                  frames: number, type, flags, bytes of message and of body
 *   falsify fields IMAGE                varints in messages: frame, number in it, type of the frame, field, value
 *   falsify IMAGE OUT WHAT [NUMBER...]
 *     version N | machine N             in the preamble
 *     length K N | body-length K N      what frame K's header says of its message or body
 *     type K N | flags K N              of frame K
 *     field K J N                       the Jth varint of frame K
 *     packed K FIELD I N                the Ith value of a packed field of frame K
 *     resize-body K N | resize-message K N   bytes are cut off or zeros appended
 *     drop K | double K | swap K        frame K (with the next one); drop-stale K: the footer's counts stay
 *     trailer N                         where the trailer says that the footer is
 */
#include "image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct image image;

static int list(void)
{
	for (unsigned k = 0; k < image.frames; k++)
		printf("%u %u %u %zu %zu\n", k, image.frame[k].type, image.frame[k].flags, image.frame[k].message.size,
		       image.frame[k].body.size);
	return 0;
}

static int fields(void)
{
	struct field field;

	for (unsigned k = 0; k < image.frames; k++)
		for (unsigned j = 0; message_field(&image.frame[k].message, j, &field); j++)
			printf("%u %u %u %u %llu\n", k, j, image.frame[k].type, field.number,
			       (unsigned long long)field.value);
	return 0;
}

static void resize(struct bytes *b, size_t size)
{
	uint8_t *fresh = calloc(1, size + 1);

	if (!fresh)
		abort();
	memcpy(fresh, b->at, b->size < size ? b->size : size);
	*b = (struct bytes){ fresh, size };
}

static bool set_field(struct frame *frame, unsigned j, uint64_t value)
{
	struct field field;

	if (!message_field(&frame->message, j, &field))
		return false;
	message_set(&frame->message, &field, value);
	return true;
}

static bool falsify(const char *what, const uint64_t *n)
{
	struct frame *frame = n[0] < image.frames ? &image.frame[n[0]] : NULL, kept;
	size_t behind = frame ? (image.frames - n[0] - 1) * sizeof(*frame) : 0;

	if (!strcmp(what, "version")) {
		image.preamble[8] = (uint8_t)n[0];
		image.preamble[9] = (uint8_t)(n[0] >> 8);
		return true;
	}
	if (!strcmp(what, "machine")) {
		image.preamble[10] = (uint8_t)n[0];
		image.preamble[11] = (uint8_t)(n[0] >> 8);
		return true;
	}
	if (!strcmp(what, "trailer")) {
		image.false_trailer = true;
		image.trailer_offset = n[0];
		return true;
	}
	if (!frame)
		return false;
	kept = *frame;
	if (!strcmp(what, "length") || !strcmp(what, "body-length")) {
		frame->lies = true;
		frame->message_len = (uint32_t)(*what == 'l' ? n[1] : frame->message.size);
		frame->body_len = (uint32_t)(*what == 'l' ? frame->body.size : n[1]);
	} else if (!strcmp(what, "type")) {
		frame->type = (uint16_t)n[1];
	} else if (!strcmp(what, "flags")) {
		frame->flags = (uint16_t)n[1];
	} else if (!strcmp(what, "resize-body")) {
		resize(&frame->body, n[1]);
	} else if (!strcmp(what, "resize-message")) {
		resize(&frame->message, n[1]);
	} else if (!strcmp(what, "field")) {
		/* A footer that is to lie is not corrected. */
		image.stale_totals = frame->type == FOOTER_TYPE;
		return set_field(frame, (unsigned)n[1], n[2]);
	} else if (!strcmp(what, "packed")) {
		return message_set_packed(&frame->message, (uint32_t)n[1], (unsigned)n[2], n[3]);
	} else if (!strncmp(what, "drop", 4)) {
		image.stale_totals = !strcmp(what, "drop-stale");
		memmove(frame, frame + 1, behind);
		image.frames--;
	} else if (!strcmp(what, "double") && image.frames < FRAMES) {
		memmove(frame + 1, frame, behind + sizeof(*frame));
		image.frames++;
	} else if (!strcmp(what, "swap") && behind) {
		frame[0] = frame[1];
		frame[1] = kept;
	} else {
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	uint64_t number[4] = { 0 };

	if (argc == 3 && !strcmp(argv[1], "list"))
		return image_read(&image, argv[2]) ? list() : 1;
	if (argc == 3 && !strcmp(argv[1], "fields"))
		return image_read(&image, argv[2]) ? fields() : 1;
	if (argc < 5 || argc > 8) {
		fprintf(stderr, "usage: falsify list|fields IMAGE, or falsify IMAGE OUT WHAT NUMBER...\n");
		return 2;
	}
	for (int i = 4; i < argc; i++)
		number[i - 4] = strtoull(argv[i], NULL, 0);
	if (!image_read(&image, argv[1]) || !falsify(argv[3], number) || !image_write(&image, argv[2])) {
		fprintf(stderr, "falsify: %s: cannot be done\n", argv[3]);
		return 1;
	}
	return 0;
}
