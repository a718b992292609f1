/// One HTTP request through libcurl, whose options are variadic and so invisible to Swift.
#pragma once

#include <curl/curl.h>
#include <stddef.h>

/// What a request ended with.
struct failover_http_result {
    /// CURLE_OK, or why there was no answer.
    CURLcode code;
    /// The answer's status; 0 when there was none.
    long status;
    /// libcurl's words about `code`; empty when it has none.
    char words[CURL_ERROR_SIZE];
};

/// Once, before the first request.
static inline int failover_http_begin(void) { return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK; }

/// Nobody needs the answer's body. After 64 KiB the rest is not read.
static inline size_t failover_http_discard(char *bytes, size_t size, size_t count, void *total) {
    (void)bytes;
    *(size_t *)total += size * count;
    return *(size_t *)total > 65536 ? 0 : size * count;
}

/// Posts a body and waits for the answer, `milliseconds` at the most. Follows no redirect: a token in a header or a path
/// is nobody else's. Verifies certificate and name.
static inline struct failover_http_result failover_http_post(
    const char *url, const char *authorities, const char *body, long length, long milliseconds) {
    struct failover_http_result result = {CURLE_FAILED_INIT, 0, ""};
    CURL *curl = curl_easy_init();
    if (!curl) return result;
    size_t total = 0;
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, result.words);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "failover");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, length);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, milliseconds);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, failover_http_discard);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &total);
    if (authorities) curl_easy_setopt(curl, CURLOPT_CAINFO, authorities);
    result.code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &result.status);
    if (result.code == CURLE_WRITE_ERROR && total > 65536) result.code = CURLE_OK;
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return result;
}
