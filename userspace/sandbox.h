/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the daemon may do, stage by stage: with each it gives up what the rest
 * of its life does not need, and never gets it back.
 */
#ifndef IOTLB_SANDBOX_H
#define IOTLB_SANDBOX_H

/**
 * enum sandbox_stage - in the order in which they are entered
 * @SANDBOX_START: files are opened that the command line names
 * @SANDBOX_LOAD: BPF programs are loaded and attached, devices are looked for
 * @SANDBOX_SERVE: devices come and go, misses are answered
 */
enum sandbox_stage {
	SANDBOX_START,
	SANDBOX_LOAD,
	SANDBOX_SERVE,
};

/**
 * sandbox_open_standard_fds() - let no file become standard input or output
 *
 * Whichever of the fds 0 to 2 is closed is opened on /dev/null: else the next
 * file would get its number, perhaps a vhost fd, and messages would be written
 * into it. To be called before anything else is opened.
 *
 * Return: 0, or a negative errno after a message.
 */
int sandbox_open_standard_fds(void);

/* What serving needs includes the memory of the owners of devices, for reading. To
 * be called before that stage is entered.
 */
void sandbox_allow_memory(void);

/* What serving needs includes clients who connect. To be called before, as well. */
void sandbox_allow_clients(void);

/**
 * sandbox_enter() - give up what this stage and later ones do not need
 * @stage:	the stage that begins
 *
 * Return: 0, or a negative errno after a message; then the program must end.
 */
int sandbox_enter(enum sandbox_stage stage);

#endif /* IOTLB_SANDBOX_H */
