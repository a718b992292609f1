/// One HTTP request through libcurl. Its functions for options are variadic, so Swift does not import them.
#pragma once

#include <curl/curl.h>
#include <stddef.h>

/// The result of a request.
struct failover_http_result {
    /// CURLE_OK, or the reason why there was no response.
    CURLcode code;
    /// The HTTP status of the response; 0 if there was none.
    long status;
    /// libcurl's message for `code`; empty if it has none.
    char words[CURL_ERROR_SIZE];
};

/// Initializes libcurl. Call this once, before the first request. Returns whether it succeeded.
static inline int failover_http_begin(void) { return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK; }

/// A request. Fields that are NULL are not used.
struct failover_http_request {
    const char *url;
    /// The path of the Unix socket to connect to, regardless of the host in the URL.
    const char *unix_socket;
    /// The path of a PEM file with the authorities to trust instead of the system's.
    const char *authorities;
    /// The whole header line, `Authorization: Bearer …`.
    const char *authorization;
    /// The JSON body of a POST of `length` bytes. Without a body, the request is a GET.
    const char *body;
    long length;
    /// Whether to ignore the proxy that the environment variables name.
    int direct;
    /// The time limit of the whole request; 0 is no limit.
    long milliseconds;
    /// Receives a piece of the response's body; returns 0 to end the request. If it is NULL, up to 64 KiB are read and
    /// discarded.
    int (*take)(const char *bytes, size_t count, void *context);
    void *context;
    /// The number of bytes of the body that have been received.
    size_t total;
};

static inline size_t failover_http_write(char *bytes, size_t size, size_t count, void *context) {
    struct failover_http_request *request = context;
    request->total += size * count;
    int goes_on = request->take ? request->take(bytes, size * count, request->context) : request->total <= 65536;
    return goes_on ? size * count : 0;
}

/// Sends the request and waits for the response. Redirects are not followed, because another server must not get the
/// token in a header or a path. The certificate and the host name are verified.
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

/// Posts a body and waits up to `milliseconds` for the response. The response's body is discarded.
static inline struct failover_http_result failover_http_post(
    const char *url, const char *authorities, const char *body, long length, long milliseconds) {
    struct failover_http_request request = {
        .url = url, .authorities = authorities, .body = body, .length = length, .milliseconds = milliseconds};
    return failover_http_perform(&request);
}
