# cluster.sh - a Galera cluster for one test; sourced after lab.sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2154 # lab.sh's variables
#
#   . "$lab_tree/tests/lib/cluster.sh"
#   lab_cluster             three nodes, database and user "provost" on them
#   cluster_sql 2 "SELECT 1"          cluster_stop 2 [KILL]
#   cluster_start 2                   cluster_conf 2 authd2
#
# Node N listens at 127.0.0.N, all of them at the port $CLUSTER_PORT, and at
# the socket $LAB/run/node-N/sock, with conf/galera/provost.cnf. Node 1 is lab.sh's MariaDB too: lab_sql,
# lab_schema and lab_config are about it.

CLUSTER_NODES='1 2 3'

lab_cluster() {
    CLUSTER_PORT=$(lab_port)
    cluster_group=$(lab_port) cluster_ist=$(lab_port) cluster_sst=$(lab_port)
    lab_template=${LAB_MARIADB_TEMPLATE:-$LAB/mariadb-template}
    lab_mariadb_template "$lab_template" || lab_die "mariadb-install-db works"
    for node in $CLUSTER_NODES; do
        cp -a "$lab_template/data" "$LAB/node-$node"
        mkdir "$LAB/run/node-$node"
        chown -R mysql: "$LAB/node-$node" "$LAB/run/node-$node"
    done
    ln -s node-1/sock "$LAB/run/mariadb.sock"
    cluster_start 1 --wsrep-new-cluster
    lab_secret store "$LAB_STORE_PASSWORD"
    LAB_DB='' lab_sql "CREATE DATABASE provost CHARACTER SET utf8mb4;
        CREATE USER provost@localhost IDENTIFIED BY '$LAB_STORE_PASSWORD';
        CREATE USER provost@'127.%' IDENTIFIED BY '$LAB_STORE_PASSWORD';
        GRANT ALL ON provost.* TO provost@localhost;
        GRANT ALL ON provost.* TO provost@'127.%'" ||
        lab_die "the database can be made"
    cluster_start 2
    cluster_start 3
}

# cluster_run NODE [OPTION...]: the server, which may not answer yet.
cluster_run() {
    cluster_node=$1
    shift
    sed -e "s|192.0.2.1\([123]\)|127.0.0.\1:$cluster_group|g" \
        -e "s|^\(wsrep_node_address = \).*|\1127.0.0.$cluster_node:$cluster_group|" \
        -e "s|^\(bind_address = \).*|\1127.0.0.$cluster_node|" \
        "$lab_tree/conf/galera/provost.cnf" >"$LAB/node-$cluster_node.cnf"
    # The copy of a node is made by a daemon that gives up root's rights.
    lab_start "node-$cluster_node" env TMPDIR="$LAB/run/node-$cluster_node" \
        mariadbd --defaults-file="$LAB/node-$cluster_node.cnf" --user=mysql \
        --datadir="$LAB/node-$cluster_node" --socket="$LAB/run/node-$cluster_node/sock" \
        --pid-file="$LAB/run/node-$cluster_node/pid" --skip-name-resolve \
        --port="$CLUSTER_PORT" \
        --innodb-log-file-size=16M --innodb-buffer-pool-size=64M \
        --innodb-use-native-aio=OFF --performance-schema=OFF --max-connections=300 \
        --wsrep-provider-options="gmcast.listen_addr=tcp://127.0.0.$cluster_node:$cluster_group;ist.recv_addr=127.0.0.$cluster_node:$cluster_ist;gcache.size=32M" \
        --wsrep-sst-receive-address="127.0.0.$cluster_node:$cluster_sst" "$@"
}

# cluster_start NODE [OPTION...]: and waits until it is one of the cluster.
cluster_start() {
    cluster_run "$@"
    wait_for 60 cluster_synced "$1" || lab_die "node $1 is part of the cluster within 60 s"
}

cluster_synced() {
    LAB_DB='' cluster_sql "$1" "SHOW STATUS LIKE 'wsrep_local_state'" | grep -q '4$' &&
        LAB_DB='' cluster_sql "$1" "SHOW STATUS LIKE 'wsrep_ready'" | grep -q 'ON$'
}

# cluster_stop NODE [SIGNAL]
cluster_stop() {
    lab_stop "node-$1" "${2:-TERM}"
}

# cluster_sql NODE STATEMENTS: as lab_sql.
cluster_sql() {
    # shellcheck disable=SC2086
    mariadb --no-defaults --socket="$LAB/run/node-$1/sock" --user=root \
        --connect-timeout=5 -N -B -e "$2" ${LAB_DB-provost}
}

# cluster_config: provost-1.conf to provost-3.conf of $LAB/provost.conf: each
# host asks its own node first and then the others, at sockets of its own;
# provost.conf itself keeps to node 1, by its socket.
cluster_config() {
    for node in $CLUSTER_NODES; do
        cluster_hosts=127.0.0.$node
        for cluster_other in $CLUSTER_NODES; do
            [ "$cluster_other" = "$node" ] || cluster_hosts="$cluster_hosts, 127.0.0.$cluster_other"
        done
        cluster_config_store "$node" "$cluster_hosts" "$CLUSTER_PORT"
    done
}

# cluster_config_store NAME HOSTS PORT: provost-NAME.conf, whose store is there.
cluster_config_store() {
    sed -e "s|socket = \"$LAB/run/mariadb.sock\";|host = \"$2\"; port = $3;|" \
        -e "s|$LAB/run/authd|$LAB/run/authd-$1|; s|$LAB/run/control|$LAB/run/control-$1|" \
        -e "s|$LAB/run/policy|$LAB/run/policy-$1|g; s|$LAB/spool/|$LAB/spool-$1/|g" \
        -e "s|node = \"\"|node = \"$1\"|" \
        "$LAB/provost.conf" >"$LAB/provost-$1.conf"
    mkdir -p "$LAB/spool-$1/var/run/provost"
}

# cluster_authd NAME, cluster_policyd NAME: with provost-NAME.conf.
cluster_authd() {
    lab_start "authd-$1" "$PROVOST_BUILD/authd/provost-authd" -c "$LAB/provost-$1.conf"
    wait_for 15 test -S "$LAB/run/authd-$1" || lab_die "provost-authd opens the sockets of $1"
}

cluster_policyd() {
    lab_start "policyd-$1" "$PROVOST_BUILD/policyd/provost-policyd" -c "$LAB/provost-$1.conf"
    wait_for 15 test -S "$LAB/run/policy-$1" || lab_die "provost-policyd opens the sockets of $1"
}

# cluster_auth NAME OPTION...: asks the authd of NAME, as saslauthd.py does.
cluster_auth() {
    cluster_name=$1
    shift
    "$LAB_PYTHON" "$lab_tree/tests/lib/saslauthd.py" --socket "$LAB/run/authd-$cluster_name" "$@"
}

# cluster_ctl NAME ARGUMENT...: provostctl with provost-NAME.conf.
cluster_ctl() {
    cluster_name=$1
    shift
    "$PROVOST_BUILD/tools/provostctl" -c "$LAB/provost-$cluster_name.conf" "$@"
}
