// SPDX-License-Identifier: GPL-2.0
#include "dawdle.h"

#include <sched.h>
#include <time.h>

#include "race.h"

static void sleep_us(unsigned int us)
{
	struct timespec time = {.tv_nsec = us * 1000};

	nanosleep(&time, NULL);
}

/* Lets the other CPU have its turn where they share one. */
static void spin(unsigned int times)
{
	while (times--)
		__builtin_ia32_pause();
}

void dawdle_awake(uint64_t *random)
{
	switch (random_below(random, 4)) {
	case 0:
	case 1:
		break;
	case 2:
		sched_yield();
		break;
	default:
		spin(random_below(random, 200));
		break;
	}
}

void nap(uint64_t *random)
{
	sleep_us(random_below(random, 5000));
}

void dawdle(uint64_t *random)
{
	switch (random_below(random, 4)) {
	case 0:
		sleep_us(20);
		break;
	case 1:
		sleep_us(random_below(random, 500));
		break;
	default:
		dawdle_awake(random);
		break;
	}
}
