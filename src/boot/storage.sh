
### Only where temp or swap is asked for: sprinters-storage.service, before the runner and before Docker

storage() {
    guard
    case $temp in
    gp3) step 'looking for the temp volume'; disk=$(volume) ;;
    ephemeral) step 'looking for the instance store'; disk=$(instance_store) ;;
    zram) step 'setting up zram'; disk=$(zram) ;;
    esac
    [ -z "$temp" ] || { step "formatting $disk for temp"; format "$disk"; step 'moving to temp'; move_to_temp; }
    [ "$swap" = 0 ] || { step 'setting up swap'; add_swap; }
}

# By udev's names for NVMe disks, which hold the model that EC2 gives them; several names may lead to one disk.
disks() {
    for link in /dev/disk/by-id/nvme-"$1"*; do
        case $link in *-part*) ;; *) [ ! -b "$link" ] || readlink -f "$link" ;; esac
    done | sort -u
}

# Whether the disk carries neither a file system nor a partition table nor anything else that blkid knows: nothing else is ever formatted.
blank() { code=0; blkid -p "$1" >/dev/null 2>&1 || code=$?; [ $code = 2 ]; }

# A new EBS volume has an id that nobody knew when this was written. It is the disk of its size that holds nothing but zeros.
volume() {
    read -r now _ </proc/uptime; last=$((${now%.*} + 20))
    while [ "${now%.*}" -lt $last ]; do
        for disk in $(disks Amazon_Elastic_Block_Store) /dev/xvdp /dev/sdp; do
            [ -b "$disk" ] && [ "$(blockdev --getsize64 "$disk")" = $((temp_gib << 30)) ] && blank "$disk" &&
                cmp -s -n 1048576 "$disk" /dev/zero && echo "$disk" && return
        done
        sleep 0.2; read -r now _ </proc/uptime
    done
    die "no blank EBS volume of $temp_gib GiB for temp appeared within 20 s"
}

instance_store() {
    set --
    for disk in $(disks Amazon_EC2_NVMe_Instance_Storage); do ! blank "$disk" || set -- "$@" "$disk"; done
    [ $# -gt 0 ] || die 'no blank NVMe instance store for temp: the instance type has none, or the image uses it already'
    if [ $# = 1 ]; then echo "$1"; else stripe "$@" || { say "cannot stripe $# disks: temp is on one of them"; echo "$1"; }; fi
}

# By the device mapper alone, whose tool is in the images where mdadm and LVM are not; it writes nothing to the disks. In stripes of 64 KiB.
stripe() {
    size=$(for disk; do blockdev --getsz "$disk"; done | sort -n | head -n 1)
    table="0 $((size / 128 * 128 * $#)) striped $# 128"
    for disk; do table="$table $disk 0"; done
    dmsetup create sprinters --table "$table" >/dev/null && echo "/dev/$(dmsetup info -c --noheadings -o blkdevname sprinters)"
}

# Compressed memory, by default twice what there is. zstd packs best, but not every kernel has it for zram.
zram() {
    size=${temp_gib:+${temp_gib}G}
    [ -n "$size" ] || size=$(awk '/^MemTotal/ { print 2 * $2 "K" }' /proc/meminfo)
    modprobe -q zram || :                     # zramctl does not load it; it may be built in
    zramctl -f -s "$size" -a zstd || zramctl -f -s "$size" ||
        die "no zram for temp in this image's kernel (in Ubuntu's it may be in the package linux-modules-extra-$(uname -r))"
}

# Nothing here outlives a crash: no journal. And nothing is written before it must: no zeroed tables, no discarded blocks.
format() {
    mkfs.ext4 -q -F -m 0 -O ^has_journal -E lazy_itable_init=1,nodiscard "$1"
    options=noatime,noinit_itable
    [ "$temp" != zram ] || options=$options,discard # what is deleted is memory again
    mkdir -p $point
    mount -o $options "$1" $point
}

move_to_temp() {
    mkdir -m 1777 $point/tmp
    mount --bind $point/tmp /tmp
    # Images that were baked in are worth more where they are.
    if [ -n "$(find /var/lib/docker/image/*/imagedb/content/sha256 /var/lib/containerd/*/blobs/sha256 -type f 2>/dev/null | head -n 1)" ]; then
        say "the image has Docker's data already: it stays on the root volume"
    else
        for data in docker containerd; do
            install -d -m 711 $point/$data /var/lib/$data
            mount --bind $point/$data /var/lib/$data
        done
    fi
    ! command -v restorecon >/dev/null || restorecon /tmp /var/lib/docker /var/lib/containerd || :
}

# In prepare, where the runner's folder is known. JIT configs call the work folder _work.
work_on_temp() {
    install -d -o "$user" -g "$(id -g "$user")" $point/work "$home/_work"
    mount --bind $point/work "$home/_work"
}

# A file: on temp, but not in memory.
add_swap() {
    file=/var/sprinters.swap
    case $temp in gp3 | ephemeral) file=$point/swap ;; esac
    (umask 077; fallocate -l "${swap}G" $file)
    mkswap $file >/dev/null
    swapon $file
}
