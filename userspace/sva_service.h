/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a client of the control socket may ask for, iotlbd-control(7): requests
 * and replies are JSON objects. Who has the devices is behind struct
 * sva_devices.
 */
#ifndef IOTLB_SVA_SERVICE_H
#define IOTLB_SVA_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "page_requests.h"
#include "vtd_types.h"

struct json_object;
struct memory_table;
struct sva;
struct sva_service;
struct sva_space;
struct vhost_iotlb_op;

/* Devices and PASIDs in one reply; who wants more asks again. */
#define SVA_SERVICE_PAGE 32

/**
 * struct sva_device_info - a device, for who asks which there are
 * @id:		its id
 * @pid:	its owner
 * @comm:	the owner's name
 * @has_asid:	it keeps address spaces apart
 */
struct sva_device_info {
	uint64_t id;
	pid_t pid;
	char comm[16];
	bool has_asid;
};

/* A flag of the guest's entries that the kernel will set when the device gets there */
enum sva_unset {
	SVA_UNSET_NONE,
	SVA_UNSET_ACCESSED,
	SVA_UNSET_DIRTY, /* and accessed is set */
};

/**
 * struct sva_translation - what an address of a PASID means
 * @address:	begin of the range around it
 * @size:	bytes; less than all that is mapped if that is in several regions of
 *		the guest's memory
 * @gpa:	guest-physical address of the begin
 * @perm:	VHOST_ACCESS_*
 * @unset:	what is missing until then
 * @walk:	if there is none, where the walk has ended; VTD_OK if it did not
 */
struct sva_translation {
	uint64_t address;
	uint64_t size;
	uint64_t gpa;
	uint32_t perm;
	enum sva_unset unset;
	struct vtd_walk walk;
};

/**
 * struct sva_devices - those that there are
 * @find:	takes the device in, if it is there and was not; its guest's memory
 *		table as it is now, NULL if there is no such device
 * @is_there:	has it been found, and is it there still?
 * @has_iommu:	as of struct sva_caller, of a device that has been found
 * @can_fail:	it knows VHOST_IOTLB_ACCESS_FAIL, the same
 * @is_missing:	a walk would end as for the request
 * @next:	the device with the lowest id above @after; false if there is none
 * @translate: 0, or a negative errno: -ENOENT the walk has ended, -EACCES it may
 *		not be accessed so, -EFAULT it leads out of the guest's memory,
 *		-EAGAIN the guest's IOMMU is not known now
 * @set_space:	what translates requests of a PASID, or with 0, of all that it was
 *		not called for: @space, with neither binding nor table nothing, or
 *		NULL for what it was before there were PASIDs here
 * @emit:	puts an operation into the queue of a device
 * @finish:	writes what is in the queues; 0, or the negative errno with which a
 *		device has refused an INVALIDATE
 */
struct sva_devices {
	const struct memory_table *(*find)(void *arg, uint64_t device);
	bool (*is_there)(void *arg, uint64_t device);
	bool (*has_iommu)(void *arg, uint64_t device);
	bool (*can_fail)(void *arg, uint64_t device);
	bool (*is_missing)(void *arg, const struct sva *pasids, const struct page_request *request);
	bool (*next)(void *arg, uint64_t after, struct sva_device_info *info);
	int (*translate)(void *arg, uint64_t device, const struct sva_space *space,
			 uint64_t address, uint32_t access, struct sva_translation *found);
	void (*set_space)(void *arg, uint64_t device, uint32_t pasid,
			  const struct sva_space *space);
	void (*emit)(void *arg, uint64_t device, const struct vhost_iotlb_op *op);
	int (*finish)(void *arg);
};

/**
 * struct sva_service_options - how to begin
 * @quota:	as of struct sva_options
 * @page_request_seconds: how long the answer to a page request may take
 * @devices:	those that there are
 * @arg:	passed to it
 * @tell:	sends a client a line that is no reply; the event is his then. If the
 *		client does not take it, he is let go later
 * @tell_arg:	passed to it
 */
struct sva_service_options {
	uint32_t quota;
	unsigned int page_request_seconds;
	const struct sva_devices *devices;
	void *arg;
	void (*tell)(void *arg, uint64_t client, struct json_object *event);
	void *tell_arg;
};

/* NULL if there is no memory for it. */
struct sva_service *sva_service_open(const struct sva_service_options *options);

/* NULL is fine. */
void sva_service_close(struct sva_service *service);

/* The PASIDs, for who has misses to answer */
const struct sva *sva_service_pasids(const struct sva_service *service);

/**
 * sva_service_handle() - do what a line asks for
 * @service:	all there is
 * @client:	whose line it is; not 0
 * @line:	without its end
 * @size:	bytes
 *
 * What it has caused is written to the devices when this returns.
 *
 * Return: the reply, never NULL unless there is no memory for it.
 */
struct json_object *sva_service_handle(struct sva_service *service, uint64_t client,
				       const char *line, size_t size);

/* A reply that says what is wrong. */
struct json_object *sva_service_error(const char *name, const char *text);

/* What is the client's, and not kept, is freed. */
void sva_service_client_gone(struct sva_service *service, uint64_t client);

/* A request with a PASID that cannot be translated; what that causes is in the queue
 * of its device when this returns.
 */
enum page_fault_result sva_service_fault(struct sva_service *service,
					 const struct page_request *fault);

/* One that has been translated */
void sva_service_translated(struct sva_service *service, uint64_t device, uint16_t queue);

/* Forget devices that are not there any more, and page requests that are not
 * answered; to be called every second.
 */
void sva_service_check(struct sva_service *service);

/* All page requests from the start */
const struct page_request_counts *sva_service_page_requests(const struct sva_service *service);

#endif /* IOTLB_SVA_SERVICE_H */
