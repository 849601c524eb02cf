// SPDX-License-Identifier: GPL-2.0
/* What QEMU's monitor says: texts of QEMU 7.2, shortened, and bad ones. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "qemu_info.h"

static struct qemu_info info;

#define IOMMU                                                                                      \
	"bus: main-system-bus\n"                                                                   \
	"  type System\n"                                                                          \
	"  dev: intel-iommu, id \"\"\n"                                                            \
	"    version = 0 (0x0)\n"                                                                  \
	"    aw-bits = 48 (0x30)\n"                                                                \
	"    caching-mode = false\n"                                                               \
	"    x-scalable-mode = true\n"                                                             \
	"    intremap = \"off\"\n"                                                                 \
	"    device-iotlb = true\n"                                                                \
	"    mmio 00000000fed90000/0000000000000230\n"                                             \
	"  dev: hpet, id \"\"\n"                                                                   \
	"    gpio-in \"\" 2\n"                                                                     \
	"    mmio 00000000fed00000/0000000000000400\n"

#define PCIE                                                                                       \
	"  dev: q35-pcihost, id \"\"\n"                                                            \
	"    bypass-iommu = false\n"                                                               \
	"    bus: pcie.0\n"                                                                        \
	"      type PCIE\n"

/* On the root bus */
#define NIC_1                                                                                      \
	"      dev: virtio-net-pci, id \"nic1\"\n"                                                 \
	"        disable-legacy = \"off\"\n"                                                       \
	"        ats = true\n"                                                                     \
	"        addr = 02.0\n"                                                                    \
	"        class Ethernet controller, addr 00:02.0, pci id 1af4:1000 (sub 1af4:0001)\n"      \
	"        bar 1: mem at 0xffffffffffffffff [0xffe]\n"                                       \
	"        bus: virtio-bus\n"                                                                \
	"          type virtio-pci-bus\n"                                                          \
	"          dev: virtio-net-device, id \"\"\n"                                              \
	"            mac = \"52:54:00:12:34:56\"\n"                                                \
	"            netdev = \"net1\"\n"                                                          \
	"            tx = \"\"\n"                                                                  \
	"            iommu_platform = true\n"

/* Behind a port, the bus of which the guest has given a number */
#define NIC_2                                                                                      \
	"      dev: pcie-root-port, id \"port0\"\n"                                                \
	"        x-speed = \"16\"\n"                                                               \
	"        addr = 03.0\n"                                                                    \
	"        class PCI bridge, addr 00:03.0, pci id 1b36:000c (sub 0000:0000)\n"               \
	"        bus: port0\n"                                                                     \
	"          type PCIE\n"                                                                    \
	"          dev: virtio-net-pci, id \"\"\n"                                                 \
	"            ats = false\n"                                                                \
	"            addr = 00.0\n"                                                                \
	"            class Ethernet controller, addr a1:1f.7, pci id 1af4:1041 (sub 1af4:1100)\n"  \
	"            bus: virtio-bus\n"                                                            \
	"              type virtio-pci-bus\n"                                                      \
	"              dev: virtio-net-device, id \"\"\n"                                          \
	"                mac = \"52:54:00:00:00:02\"\n"                                            \
	"                netdev = \"net2\"\n"                                                      \
	"                iommu_platform = false\n"

/* What is behind, is of another device. */
#define OTHER                                                                                      \
	"      dev: ICH9-SMB, id \"\"\n"                                                           \
	"        addr = 1f.3\n"                                                                    \
	"        class SMBus, addr 00:1f.3, pci id 8086:2930 (sub 1af4:1100)\n"                    \
	"        ats = true\n"                                                                     \
	"        iommu_platform = true\n"                                                          \
	"        netdev = \"other\"\n"                                                             \
	"  dev: fw_cfg_io, id \"\"\n"                                                              \
	"    caching-mode = true\n"

static void read_tree(const char *text)
{
	memset(&info, 0xff, sizeof(info));
	assert_int_equal(qemu_read_tree(&info, text), 0);
}

static void test_tree(void **state)
{
	const struct qemu_nic *nic;

	(void)state;
	read_tree(IOMMU PCIE NIC_1 NIC_2 OTHER);
	assert_true(info.iommu.present);
	assert_int_equal(info.iommu.base, 0xfed90000);
	assert_int_equal(info.iommu.address_width, 48);
	assert_true(info.iommu.device_iotlb);
	assert_true(info.iommu.scalable);
	assert_false(info.iommu.caching_mode);
	assert_false(info.iommu.first_stage);
	assert_string_equal(info.other_iommu, "");

	assert_int_equal(info.nic_count, 2);
	nic = &info.nics[0];
	assert_string_equal(nic->id, "nic1");
	assert_string_equal(nic->netdev, "net1");
	assert_string_equal(nic->mac, "52:54:00:12:34:56");
	assert_true(nic->has_source);
	assert_int_equal(nic->source_id, 0x0010);
	assert_true(nic->iommu_platform);
	assert_true(nic->ats);
	assert_true(nic->on_root_bus);
	assert_true(nic->on_express);
	assert_false(nic->is_tap);
	assert_int_equal(nic->tap_fd, -1);

	nic = &info.nics[1];
	assert_string_equal(nic->id, "");
	assert_string_equal(nic->netdev, "net2");
	assert_int_equal(nic->source_id, 0xa1ff);
	assert_false(nic->iommu_platform);
	assert_false(nic->ats);
	assert_false(nic->on_root_bus);
	assert_true(nic->on_express);
}

/* QEMU 10 says where the registers are of others only. */
static void test_newer(void **state)
{
	(void)state;
	read_tree("bus: main-system-bus\n"
		  "  type System\n"
		  "  dev: intel-iommu, id \"\"\n"
		  "    aw-bits = 48 (0x30)\n"
		  "    x-scalable-mode = true\n"
		  "    x-flts = true\n"
		  "    stale-tm = false\n"
		  "    fs1gp = true\n"
		  "    device-iotlb = true\n"
		  "  dev: hpet, id \"\"\n"
		  "    mmio 00000000fed00000/0000000000000400\n" PCIE NIC_2);
	assert_int_equal(info.iommu.base, 0xfed90000);
	assert_true(info.iommu.first_stage);
	assert_true(info.iommu.scalable);
	assert_int_equal(info.nic_count, 1);

	/* Should it ever be elsewhere */
	read_tree("bus: main-system-bus\n  dev: intel-iommu, id \"\"\n"
		  "    mmio 00000000fed80000/0000000000000230\n");
	assert_int_equal(info.iommu.base, 0xfed80000);
}

static void test_conventional_bus(void **state)
{
	char text[] = IOMMU PCIE NIC_2 OTHER, *type;

	(void)state;
	type = strstr(strstr(text, "bus: port0"), "PCIE");
	memcpy(type, "PCIX", 4);
	read_tree(text);
	assert_int_equal(info.nic_count, 1);
	assert_false(info.nics[0].on_express);
	assert_false(info.nics[0].on_root_bus);
}

static void test_no_iommu(void **state)
{
	(void)state;
	read_tree("bus: main-system-bus\n  type System\n" PCIE NIC_1);
	assert_false(info.iommu.present);
	assert_int_equal(info.nic_count, 1);

	read_tree("bus: main-system-bus\n  type System\n" PCIE
		  "      dev: virtio-iommu-pci, id \"\"\n        ats = false\n");
	assert_false(info.iommu.present);
	assert_string_equal(info.other_iommu, "virtio-iommu-pci");
}

/* A name of a user's may look like anything. */
static void test_names(void **state)
{
	char text[10000], name[400];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(text, sizeof(text),
		 IOMMU PCIE "      dev: virtio-net-pci, id \"%s\"\n"
			    "        class \x1b[2J, addr 00:20.0, pci id\n"
			    "        bus: virtio-bus\n"
			    "          dev: virtio-net-device, id \"\"\n"
			    "            netdev = \"%s\"\n"
			    "            mac = \"52:54:\x1b[2J\xff\"\n",
		 name, name);
	read_tree(text);
	assert_int_equal(info.nic_count, 1);
	assert_int_equal(strlen(info.nics[0].id), QEMU_NAME_MAX - 1);
	assert_int_equal(strlen(info.nics[0].netdev), QEMU_NAME_MAX - 1);
	assert_string_equal(info.nics[0].mac, "52:54:?[2J?");
	/* There is no device 0x20. */
	assert_false(info.nics[0].has_source);
}

static void test_deep_and_many(void **state)
{
	char *text = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	fputs(IOMMU PCIE, out);
	for (i = 0; i < QEMU_MAX_NICS + 10; i++)
		fputs(NIC_1, out);
	for (i = 3; i < 500; i++)
		fprintf(out, "%*sdev: virtio-net-pci, id \"\"\n%*sats = true\n", (int)(2 * i), "",
			(int)(2 * i + 2), "");
	fclose(out);
	read_tree(text);
	assert_int_equal(info.nic_count, QEMU_MAX_NICS);
	free(text);
}

static void test_no_tree(void **state)
{
	(void)state;
	assert_int_equal(qemu_read_tree(&info, ""), -EPROTO);
	assert_int_equal(qemu_read_tree(&info, "unknown command: 'info qtree'\n"), -EPROTO);
	/* Cut anywhere: less is known, and nothing else. */
	for (size_t length = 6; length < strlen(IOMMU PCIE NIC_1 NIC_2); length++) {
		char *text = strndup(IOMMU PCIE NIC_1 NIC_2, length);

		read_tree(text);
		for (size_t i = 0; i < info.nic_count; i++)
			assert_true(!info.nics[i].has_source || info.nics[i].source_id == 0x0010 ||
				    info.nics[i].source_id == 0xa1ff);
		free(text);
	}
}

#define NETWORK                                                                                    \
	"virtio-net-pci.0: index=0,type=nic,model=virtio-net-pci,macaddr=52:54:00:00:00:02\n"      \
	" \\ net2: index=0,type=tap,ifname=guest2,script=no,downscript=no\n"                       \
	" \\ net2: index=1,type=tap,ifname=guest3,script=no,downscript=no\n"                       \
	"nic1: index=0,type=nic,model=virtio-net-pci,macaddr=52:54:00:12:34:56\n"

static void test_network(void **state)
{
	(void)state;
	read_tree(IOMMU PCIE NIC_1 NIC_2);
	qemu_read_network(&info, NETWORK " \\ net1: index=0,type=tap,fd=31\n");
	assert_true(info.nics[0].is_tap);
	assert_string_equal(info.nics[0].tap, "");
	assert_int_equal(info.nics[0].tap_fd, 31);
	assert_true(info.nics[1].is_tap);
	assert_string_equal(info.nics[1].tap, "guest2");
	assert_int_equal(info.nics[1].tap_fd, -1);
	assert_ptr_equal(qemu_find_nic(&info, "guest2"), &info.nics[1]);
	assert_null(qemu_find_nic(&info, "guest3"));
	assert_null(qemu_find_nic(&info, ""));
	assert_ptr_equal(qemu_only_nic(&info), &info.nics[0]);
	info.nics[1].iommu_platform = true;
	assert_null(qemu_only_nic(&info));
}

static void test_strange_network(void **state)
{
	static const char *const lines[] = {
		" \\ net1: index=0,type=user,net=10.0.2.0,restrict=off\n",
		" \\ net10: index=0,type=tap,ifname=guest1,script=no\n",
		" \\ net1 index=0,type=tap,ifname=guest1\n",
		": index=0,type=tap,ifname=guest1\n",
		"\n\n\\\n",
		"",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		read_tree(IOMMU PCIE NIC_1);
		qemu_read_network(&info, lines[i]);
		assert_false(info.nics[0].is_tap);
		assert_null(qemu_only_nic(&info));
	}
	/* No such name fits an interface. */
	read_tree(IOMMU PCIE NIC_1);
	qemu_read_network(&info, " \\ net1: index=0,type=tap,ifname=1234567890123456,script=no\n");
	assert_true(info.nics[0].is_tap);
	assert_string_equal(info.nics[0].tap, "");
	read_tree(IOMMU PCIE NIC_1);
	qemu_read_network(&info, " \\ net1: index=0,type=tap,fd=-1\n");
	assert_int_equal(info.nics[0].tap_fd, -1);
	read_tree(IOMMU PCIE NIC_1);
	qemu_read_network(&info, " \\ net1: index=0,type=tap,fd=99999999999999999999\n");
	assert_int_equal(info.nics[0].tap_fd, -1);
	read_tree(IOMMU PCIE NIC_1);
	qemu_read_network(&info, " \\ net1: index=0,type=tap,helper=/usr/lib/qemu-bridge-helper\n");
	assert_true(info.nics[0].is_tap);
	assert_string_equal(info.nics[0].tap, "");
}

/* Two NICs on one tap: neither is it. */
static void test_same_tap(void **state)
{
	(void)state;
	read_tree(IOMMU PCIE NIC_1 NIC_2);
	qemu_read_network(&info, " \\ net1: index=0,type=tap,ifname=a,script=no\n"
				 " \\ net2: index=0,type=tap,ifname=a,script=no\n");
	assert_string_equal(info.nics[0].tap, "a");
	assert_string_equal(info.nics[1].tap, "a");
	assert_null(qemu_find_nic(&info, "a"));
}

#define REGISTERS                                                                                  \
	"00000000fed90008: 0x10d2008c222f0646 0x0000000000000f46\n"                                \
	"00000000fed90018: 0x8000000000000000 0x0000000104d3000\n"

static void test_registers(void **state)
{
	const struct qemu_iommu iommu = {.present = true, .base = 0xfed90000};
	struct qemu_registers registers;
	char command[QEMU_COMMAND_MAX];
	struct vtd_unit unit;

	(void)state;
	qemu_registers_command(&iommu, command);
	assert_string_equal(command, "xp /4gx 0xfed90008");
	assert_int_equal(qemu_read_registers(&registers, &iommu,
					     "00000000fed90008: 0x11d2008c222f0646 "
					     "0x0000000004000f46\n"
					     "00000000fed90018: 0xC000000000000000 "
					     "0x0000000104d30400\n"),
			 0);
	assert_int_equal(registers.rtaddr, 0x104d30400);
	assert_int_equal(registers.gsts, 0xc0000000);
	assert_true(qemu_translates(&registers));
	unit = qemu_unit(&registers);
	assert_int_equal(unit.root, 0x104d30400);
	assert_int_equal(unit.address_width, 48);
	assert_int_equal(unit.sagaw, 6);
	assert_int_equal(unit.large_pages, 3);
	assert_int_equal(unit.flags, VTD_UNIT_PASS_THROUGH | VTD_UNIT_FIRST_1G | VTD_UNIT_FIRST_5 |
					     VTD_UNIT_NESTED);

	registers.gsts = 0x40000000;
	assert_false(qemu_translates(&registers));
	registers.cap = registers.ecap = 0;
	unit = qemu_unit(&registers);
	assert_int_equal(unit.address_width, 32);
	assert_int_equal(unit.flags, 0);
	registers.cap = UINT64_MAX;
	assert_int_equal(qemu_unit(&registers).address_width, 52);
}

static void test_bad_registers(void **state)
{
	static const char *const texts[] = {
		"",
		"Cannot access memory\n",
		REGISTERS, /* a digit is missing */
		"00000000fed90008: 0x0000000000000000 0x0000000000000000\n",
		"00000000fed90010: 0x0000000000000000 0x0000000000000000\n"
		"00000000fed90020: 0x0000000000000000 0x0000000000000000\n",
		"00000000fed90008: 0x0000000000000000 0x0000000000000000\n"
		"00000000fed90018: 0x0000000000000000 0x0000000000000000\nmore\n",
		"00000000fed90008: 0x0000000000000000 0x000000000000000g\n"
		"00000000fed90018: 0x0000000000000000 0x0000000000000000\n",
		"00000000fed90008: 0x0000000000000000 0x0000000000000000\n"
		"00000000fed90018: 0x0000000000000000 0x0000000000000000",
	};
	const struct qemu_iommu iommu = {.present = true, .base = 0xfed90000};
	struct qemu_registers registers;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(qemu_read_registers(&registers, &iommu, texts[i]), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_conventional_bus),
		cmocka_unit_test(test_newer),
		cmocka_unit_test(test_no_iommu),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_deep_and_many),
		cmocka_unit_test(test_no_tree),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_strange_network),
		cmocka_unit_test(test_same_tap),
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_bad_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
