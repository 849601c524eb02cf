/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOTLB_TEXT_FILE_H
#define IOTLB_TEXT_FILE_H

/* More than vhost's greatest memory table, 65535 regions, can take. */
#define TEXT_FILE_MAX (8 << 20)

/**
 * text_file_read() - a whole small file, as those in /proc and /sys
 * @path:	name of the file
 * @text:	what it holds, NUL-terminated; to be freed
 *
 * Return: 0, or a negative errno; -EFBIG beyond TEXT_FILE_MAX bytes.
 */
int text_file_read(const char *path, char **text);

#endif /* IOTLB_TEXT_FILE_H */
