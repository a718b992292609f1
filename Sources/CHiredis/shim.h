// The reader and the formatter of hiredis; sockets are none of its business here.
#pragma once
#include <stddef.h>
#include <hiredis/hiredis.h>

#if HIREDIS_MAJOR > 0
typedef size_t failover_redis_count;
#else
typedef int failover_redis_count;
#endif

static inline void *failover_redis_no_array(const redisReadTask *task, failover_redis_count count) {
    (void)task;
    (void)count;
    return NULL;
}

// A reader that takes no arrays: no answer to a ping is one, and memory for as many elements as a peer announces would
// be taken at once. maxelements, which bounds that, came with hiredis 1.0.
static inline redisReader *failover_redis_reader(void) {
    static _Thread_local redisReplyObjectFunctions functions;
    redisReader *reader = redisReaderCreate();
    if (!reader) return NULL;
    functions = *reader->fn;
    functions.createArray = failover_redis_no_array;
    reader->fn = &functions;
    return reader;
}
