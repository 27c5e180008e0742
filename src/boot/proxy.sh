
### Only where a proxy or a certificate authority is given

# For the runner and so for the job, for the runner's download, and for Docker.
use_proxy() {
    (umask 077; printf '%s\n' "$proxy" >$dir/proxy)
    for daemon in docker containerd; do
        mkdir -p $units/$daemon.service.d
        printf '[Service]\nEnvironmentFile=-%s\n' $dir/proxy >$units/$daemon.service.d/sprinters.conf
    done
    [ -z "$ca" ] || printf '%s\n' "$ca" >$dir/ca.pem
    systemctl daemon-reload
}

# Where each distribution keeps what it trusts. Node, which runs most actions, has its own list, and a variable to add to it.
trust() {
    [ -e $dir/ca.pem ] || return 0
    step 'adding the certificate authority'
    for folder in /usr/local/share/ca-certificates /etc/pki/ca-trust/source/anchors; do
        [ ! -d $folder ] || cp $dir/ca.pem $folder/sprinters.crt
    done
    if command -v update-ca-certificates; then update-ca-certificates; else update-ca-trust; fi >/dev/null
}
