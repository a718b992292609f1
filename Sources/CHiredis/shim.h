// The reader and the formatter of hiredis. Its socket functions are not used.
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

// A reader that rejects arrays. No answer to a ping is an array, and hiredis would at once allocate memory for the
// number of elements that the peer announces. The limit for this, maxelements, exists only since hiredis 1.0.
static inline redisReader *failover_redis_reader(void) {
    static _Thread_local redisReplyObjectFunctions functions;
    redisReader *reader = redisReaderCreate();
    if (!reader) return NULL;
    functions = *reader->fn;
    functions.createArray = failover_redis_no_array;
    reader->fn = &functions;
    return reader;
}
