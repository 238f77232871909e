FROM alpine:3.20
LABEL maintainer="Web Server Maintainers <web@example.com>"
ENV WEB_VERSION=1.27.1
ENV PKG_RELEASE 1
RUN set -x \
# create the user and group first, to be consistent throughout variants
    && addgroup -g 101 -S web \
    && adduser -S -D -H -u 101 -h /var/cache/web -s /sbin/nologin -G web -g web web \
    && apkArch="$(cat /etc/apk/arch)" \
    && webPackages=" \
        web=${WEB_VERSION}-r${PKG_RELEASE} \
        web-module-xslt=${WEB_VERSION}-r${PKG_RELEASE} \
    " \
# install prerequisites for public key and pkg-oss checks
    && apk add --no-cache --virtual .checksum-deps \
        openssl \
    && case "$apkArch" in \
        x86_64|aarch64) \
            set -x \
            && KEY_SHA512="e09fa32f0a0eab2b879ccbbc4d0e4fb9751486eedda75e35fac65802cc9faa266425edf83e261137a2f4d16281ce2c1a5f4502930fe75154723da014214f0655" \
            && wget -O /tmp/web_signing.rsa.pub https://example.com/keys/web_signing.rsa.pub \
            && if echo "$KEY_SHA512 */tmp/web_signing.rsa.pub" | sha512sum -c -; then \
                echo "key verification succeeded!"; \
                mv /tmp/web_signing.rsa.pub /etc/apk/keys/; \
            else \
                echo "key verification failed!"; \
                exit 1; \
            fi \
            ;; \
        *) \
            exit 1 \
            ;; \
    esac \
    && apk del --no-network .checksum-deps \
# forward request and error logs to the log collector
    && ln -sf /dev/stdout /var/log/web/access.log \
    && ln -sf /dev/stderr /var/log/web/error.log \
    && mkdir /docker-entrypoint.d
COPY docker-entrypoint.sh /
COPY 10-listen-on-ipv6-by-default.sh 15-local-resolvers.envsh /docker-entrypoint.d/
COPY 20-envsubst-on-templates.sh 30-tune-worker-processes.sh /docker-entrypoint.d/
ENTRYPOINT ["/docker-entrypoint.sh"]
EXPOSE 80
STOPSIGNAL SIGQUIT
CMD ["web", "-g", "daemon off;"]
