# shellcheck shell=bash
# Server processes of the lab: started detached, known by pid file, signalled by pid. Sourced; needs LAB.

# A pid file holds the pid and the start time of the process: the pid alone may be another process's by now.
pid_of() { cut -d ' ' -f 1 "$LAB/run/$1.pid"; }

# state_of PID prints the state as in proc(5) and the start time; nothing for a process that is gone.
# A zombie that no process reaps counts as gone, unless threads of it still run and hold its sockets.
state_of() {
  local stat fields
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
  read -ra fields <<<"${stat##*) }"
  [[ ${fields[0]} == Z && ${fields[17]} -le 1 ]] || echo "${fields[0]} ${fields[19]}"
}

# server_state NAME prints the letter for the server's first process; nothing when it is not running.
server_state() {
  local pid start state
  { read -r pid start <"$LAB/run/$1.pid"; } 2>/dev/null || return 0
  state=$(state_of "$pid")
  [[ ${state#* } != "$start" ]] || echo "${state% *}"
}

alive() { [[ -n $(server_state "$1") ]]; }
frozen() { [[ $(server_state "$1") == T ]]; }

# A PostgreSQL server is a postmaster and its children, each in a session of its own; RabbitMQ has a child that starts
# programs and ends with it; the others are one process each.
processes_of() {
  local pid
  pid=$(pid_of "$1")
  echo "$pid"
  pgrep -P "$pid" || true
}

# launch NAME COMMAND... starts a server that outlives this script and its terminal.
launch() {
  local name=$1
  shift
  # Descriptor 9 is this script's lock. setsid replaces the subshell, so that $! is the server.
  (cd / && exec setsid "$@") </dev/null >>"$LAB/log/$name.log" 2>&1 9>&- &
  local state
  state=$(state_of $!)
  echo "$! ${state#* }" >"$LAB/run/$name.pid"
}

# wait_until SECONDS COMMAND... polls; fails when the time is over.
wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.1
  done
}

# talk PORT BYTES COUNT sends bytes, with escapes as echo -e takes them, and prints the first COUNT of the answer.
talk() { (exec 3<>"/dev/tcp/127.0.0.1/$1" && printf '%b' "$2" >&3 && timeout 20 head -c "$3" <&3) 2>/dev/null; }

freeze_server() {
  local pid
  pid=$(pid_of "$1")
  kill -STOP "$pid"
  # Once the parent has really stopped it forks no more, and the list of its children is complete.
  wait_until 60 frozen "$1" || die "$1 (pid $pid) does not stop"
  signal_processes STOP "$1"
}

thaw_server() { signal_processes CONT "$1"; }

# A process may end between the list and the signal.
signal_processes() {
  local pid
  for pid in $(processes_of "$2"); do kill "-$1" "$pid" 2>/dev/null || true; done
}

gone() {
  local pid
  for pid in "$@"; do [[ -z $(state_of "$pid") ]] || return 1; done
}

# Returns when no process of the server is left, so that its port refuses.
kill_server() {
  freeze_server "$1"
  local pids
  mapfile -t pids < <(processes_of "$1")
  signal_processes KILL "$1"
  wait_until 60 gone "${pids[@]}" || die "$1 survived SIGKILL: ${pids[*]}"
  # What libfaketime leaves.
  rm -f "/dev/shm/faketime_shm_${pids[0]}" "/dev/shm/sem.faketime_sem_${pids[0]}"
}
