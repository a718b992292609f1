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

/// What is asked, of whom, and who gets the answer's body. What is NULL is not used.
struct failover_http_request {
    const char *url;
    /// Path of the Unix socket to connect to, whatever host the URL names.
    const char *unix_socket;
    /// Path of a PEM file with the authorities to trust instead of the system's.
    const char *authorities;
    /// `Authorization: Bearer …` as a whole line.
    const char *authorization;
    /// Makes it a POST of JSON; otherwise it is a GET.
    const char *body;
    long length;
    /// Not through a proxy that the environment names.
    int direct;
    /// For the whole request; 0 is no limit.
    long milliseconds;
    /// Takes a piece of the answer's body; returns 0 to end the request. Without one, 64 KiB are read and thrown away.
    int (*take)(const char *bytes, size_t count, void *context);
    void *context;
    /// What was thrown away.
    size_t total;
};

static inline size_t failover_http_write(char *bytes, size_t size, size_t count, void *context) {
    struct failover_http_request *request = context;
    request->total += size * count;
    int goes_on = request->take ? request->take(bytes, size * count, request->context) : request->total <= 65536;
    return goes_on ? size * count : 0;
}

/// Asks and waits for the answer. Follows no redirect: a token in a header or a path is nobody else's. Verifies certificate
/// and name.
static inline struct failover_http_result failover_http_perform(struct failover_http_request *request) {
    struct failover_http_result result = {CURLE_FAILED_INIT, 0, ""};
    CURL *curl = curl_easy_init();
    if (!curl) return result;
    struct curl_slist *headers = NULL;
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, result.words);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "failover");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, request->milliseconds);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, failover_http_write);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, request);
    if (request->direct) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    if (request->unix_socket) curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
    if (request->authorities) curl_easy_setopt(curl, CURLOPT_CAINFO, request->authorities);
    if (request->authorization) headers = curl_slist_append(headers, request->authorization);
    if (request->body) {
        headers = curl_slist_append(headers, "Content-Type: application/json");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, request->length);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    result.code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &result.status);
    if (result.code == CURLE_WRITE_ERROR && !request->take) result.code = CURLE_OK;
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return result;
}

/// Posts a body and waits for the answer, `milliseconds` at the most. Nobody needs the answer's body.
static inline struct failover_http_result failover_http_post(
    const char *url, const char *authorities, const char *body, long length, long milliseconds) {
    struct failover_http_request request = {
        .url = url, .authorities = authorities, .body = body, .length = length, .milliseconds = milliseconds};
    return failover_http_perform(&request);
}
