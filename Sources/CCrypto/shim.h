// The headers of the system library that this module maps.
#include <openssl/evp.h>
#include <openssl/sha.h>
