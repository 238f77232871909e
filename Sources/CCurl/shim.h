// libcurl, and its variadic calls as functions of one type each: Swift cannot call variadic ones.
#ifndef CCURL_SHIM_H
#define CCURL_SHIM_H

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

typedef size_t (*ccurl_transfer)(char *bytes, size_t size, size_t count, void *context);
typedef int (*ccurl_seek)(void *context, curl_off_t offset, int origin);

static inline CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_size(CURL *easy, CURLoption option, curl_off_t value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_string(CURL *easy, CURLoption option, const char *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_pointer(CURL *easy, CURLoption option, void *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_transfer(CURL *easy, CURLoption option, ccurl_transfer value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_seek(CURL *easy, ccurl_seek value) {
  return curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, value);
}

// The bytes are copied.
static inline CURLcode ccurl_set_blob(CURL *easy, CURLoption option, const void *bytes,
                                      size_t size) {
  struct curl_blob blob = {(void *)bytes, size, CURL_BLOB_COPY};
  return curl_easy_setopt(easy, option, &blob);
}

static inline CURLcode ccurl_allow_web_only(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
  return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

// The file of certificate authorities that this libcurl was built with, null where unknown.
static inline const char *ccurl_authorities(CURL *easy) {
  char *path = NULL;
#if LIBCURL_VERSION_NUM >= 0x075400
  curl_easy_getinfo(easy, CURLINFO_CAINFO, &path);
#endif
  return path;
}

// The result of a finished transfer; -1 while it is under way.
static inline int ccurl_result(CURLM *multi) {
  int left = 0;
  CURLMsg *message;
  while ((message = curl_multi_info_read(multi, &left)) != NULL) {
    if (message->msg == CURLMSG_DONE) return (int)message->data.result;
  }
  return -1;
}

static const size_t CCURL_PAUSE = CURL_WRITEFUNC_PAUSE;
static const size_t CCURL_ABORT = CURL_READFUNC_ABORT;

#endif
