#!/bin/sh
# Builds the stand-in for an AMI in the folder $1: the Debian release $2 with systemd and cloud-init's Ec2 data source, for a
# container, or with a kernel for a whole machine, which $3 says. Run as root.
# The finished folder is cached under the hash of this file, so that a change here builds a new one.
set -eu
root=$1 release=$2 kind=$3
packages=e2fsprogs,systemd,systemd-sysv,dbus,cloud-init,python3-cffi-backend,curl,sudo,iproute2,iputils-ping,ca-certificates,procps
[ "$kind" = container ] || packages=$packages,udev,kmod,dmsetup
# python3-cffi-backend is a virtual package to cloud-init's dependencies, which debootstrap does not resolve.
debootstrap --variant=minbase --include=$packages "$release" "$root"

# As on EC2: one data source, IMDSv2.
cat >"$root/etc/cloud/cloud.cfg.d/90-ec2.cfg" <<'CFG'
datasource_list: [Ec2]
network: {config: disabled}
manage_etc_hosts: true
locale: false
ssh_deletekeys: false
ssh_genkeytypes: []
CFG

container() {
    # The network is made by the test, before the boot, so nobody is to ask for an address.
    rm -f "$root/sbin/dhclient" "$root/sbin/dhcpcd"
    # cloud-init speaks IMDSv2 only where it recognizes EC2: by DMI, which it ignores in containers, or by Xen's file in /sys, where
    # nothing can be put. So let it look for Xen's file elsewhere: the only change to it.
    sed -i 's|"/sys/hypervisor/uuid"|"/etc/ec2-hypervisor-uuid"|' \
        "$root/usr/lib/python3/dist-packages/cloudinit/sources/DataSourceEc2.py"
    grep -q /etc/ec2-hypervisor-uuid "$root/usr/lib/python3/dist-packages/cloudinit/sources/DataSourceEc2.py"
    echo ec2e1916-9099-7caf-fd21-012345abcdef >"$root/etc/ec2-hypervisor-uuid"
}

# The kernel is unpacked, not installed: it has the disks' drivers in it, and needs no initramfs.
machine() {
    chroot "$root" apt-get update -qq
    kernel=$(chroot "$root" apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: //p')
    chroot "$root" sh -c "cd /tmp && apt-get download -qq $kernel && dpkg -x linux-image-*.deb kernel"
    mv "$root"/tmp/kernel/boot/* "$root/boot"
    for modules in "$root"/tmp/kernel/lib/modules "$root"/tmp/kernel/usr/lib/modules; do # since Debian 13 the latter
        [ ! -d "$modules" ] || mv "$modules" "$root/usr/lib"
    done
    rm -r "$root"/tmp/*
    chroot "$root" depmod "${kernel#linux-image-}"
    printf '%s\n' '[Match]' 'Name=e*' '[Network]' DHCP=ipv4 >"$root/etc/systemd/network/10-any.network"
    chroot "$root" systemctl enable -q systemd-networkd
    # What QEMU cannot: EC2's disks tell their kind by their model. Here it is in the serial number.
    for disk in EBS:Amazon_Elastic_Block_Store_vol AWS:Amazon_EC2_NVMe_Instance_Storage_AWS; do
        printf 'KERNEL=="nvme*n1", ATTRS{serial}=="%s*", SYMLINK+="disk/by-id/nvme-%s$attr{serial}"\n' "${disk%%:*}" "${disk#*:}"
    done >"$root/etc/udev/rules.d/99-ec2-disks.rules"
}

"$kind"
mkdir -p "$root/var/log/journal"       # the journal is kept, so that tests can search it for secrets
chroot "$root" groupadd --system docker
chroot "$root" systemctl mask -q apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    e2scrub_reap.service fstrim.timer console-getty.service systemd-networkd-wait-online.service
: >"$root/etc/machine-id"
rm -f "$root/etc/resolv.conf"          # no names to resolve, and nobody to wait for: loopback refuses at once
echo 'nameserver 127.0.0.1' >"$root/etc/resolv.conf"
rm -rf "$root"/usr/share/doc "$root"/usr/share/man "$root"/usr/share/locale "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
