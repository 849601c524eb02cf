/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A record: all that iotlb-record keeps of a run, and all that a report is made
 * of. Its size is bounded, however long the run and however many its events.
 */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device.h"
#include "heat.h"
#include "iotlb_counters.h"
#include "timeline.h"

#define RECORD_DEVICES 64
#define RECORD_QUEUES 64

/* Devices, or address spaces of theirs, with maps of their own; one more is for all
 * others.
 */
#define RECORD_MAPS 8

/* Buckets at the start. */
#define RECORD_TIMELINE_NS 50000000ULL
#define RECORD_HEAT_NS 1000000ULL

/**
 * struct record_machine - where it ran
 * @kernel:	release
 * @cpu:	model
 * @cpus:	how many
 * @vhost:	version of the module vhost, or its srcversion, "" if not known
 * @toolkit:	version of iotlb-record
 */
struct record_machine {
	char kernel[128];
	char cpu[128];
	unsigned int cpus;
	char vhost[64];
	char toolkit[64];
};

struct record_queue {
	uint32_t vq;
	uint32_t asid;
	struct iotlb_counters total;
};

/**
 * struct record_device - what is in the table of a device
 * @id:		number of the device
 * @pid:	its owner, 0 if not known
 * @comm:	name of the owner
 * @tap:	network interface, "" if not known
 * @total:	all its virtqueues and the device
 * @count:	elements of @queues; of more virtqueues, the rest is in @total
 * @queues:	by index
 */
struct record_device {
	uint64_t id;
	uint32_t pid;
	char comm[16];
	char tap[VHOST_DEVICE_TAP_MAX];
	struct iotlb_counters total;
	size_t count;
	struct record_queue queues[RECORD_QUEUES];
};

/**
 * struct record_map - what happened when, and where: of a device, or if it has
 * several address spaces, of one of them
 * @dev:	number of the device, 0: all that have no map of their own
 * @asid:	the address space
 * @since_ns:	when it got the map; what was before is among the others
 * @timeline:	counters
 * @heat:	events
 */
struct record_map {
	uint64_t dev;
	uint32_t asid;
	uint64_t since_ns;
	struct timeline timeline;
	struct heat heat;
};

enum record_end {
	RECORD_END_COMMAND, /* it ended by itself */
	RECORD_END_SIGNAL,  /* Ctrl-C */
	RECORD_END_TIME,    /* --duration */
};

#define RECORD_COMMAND_MAX 4096

/**
 * struct record - a run
 * @command:	as a shell would read it, "" if none; cut off if it is too long
 * @end:	why the run ended
 * @status:	exit status of the command, 128 + signal if that has killed it
 * @start:	seconds since 1970
 * @duration_ns: how long events were recorded
 * @machine:	where
 * @lost_counts: events that are not in the counters
 * @lost_events: events that are not in the maps
 * @unavailable: what could not be counted, see struct source_ops
 * @total:	all devices
 * @others:	devices that are not among @devices; @nr_others is their number
 * @timeline:	all devices
 * @nr_devices:	elements of @devices
 * @devices:	those with the most misses, by id
 * @nr_maps:	elements of @maps; those in use come first
 * @maps:	by the order of appearance; the last one that there may be is
 *		that of all others, and is in use if it has something
 */
struct record {
	char command[RECORD_COMMAND_MAX];
	enum record_end end;
	int status;
	double start;
	uint64_t duration_ns;
	struct record_machine machine;
	uint64_t lost_counts;
	uint64_t lost_events;
	uint64_t unavailable;
	struct iotlb_counters total;
	struct iotlb_counters others;
	uint64_t nr_others;
	struct timeline timeline;
	size_t nr_devices;
	struct record_device devices[RECORD_DEVICES];
	size_t nr_maps;
	struct record_map maps[RECORD_MAPS + 1];
};

/* All counters 0, no device, no map. NULL if memory is short. */
struct record *record_new(void);

/* The device of this number, NULL if it is not in the table. */
const struct record_device *record_device(const struct record *record, uint64_t id);

#endif /* RECORD_RECORD_H */
