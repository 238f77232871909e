#
# A database server, with an entry point of its own
#
FROM debian:bookworm-slim

# explicitly set user and group ids
RUN set -eux; \
	groupadd -r db --gid=999; \
	useradd -r -g db --uid=999 --home-dir=/var/lib/db --shell=/bin/bash db; \
# also create the home directory with the right owner
	install --verbose --directory --owner db --group db --mode 1777 /var/lib/db

RUN set -ex; \
	apt-get update; \
	apt-get install -y --no-install-recommends \
		gnupg \
		less \
	; \
	rm -rf /var/lib/apt/lists/*

# make the "en_US.UTF-8" locale
RUN set -eux; \
	if [ -f /etc/dpkg/dpkg.cfg.d/docker ]; then \
# if this file exists, we're likely in "debian:xxx-slim", and locales are thus being excluded
		grep -q '/usr/share/locale' /etc/dpkg/dpkg.cfg.d/docker; \
		sed -ri '/\/usr\/share\/locale/d' /etc/dpkg/dpkg.cfg.d/docker; \
		! grep -q '/usr/share/locale' /etc/dpkg/dpkg.cfg.d/docker; \
	fi; \
	apt-get update; apt-get install -y --no-install-recommends locales; rm -rf /var/lib/apt/lists/*; \
	echo 'en_US.UTF-8 UTF-8' >> /etc/locale.gen; \
	locale-gen; \
	locale -a | grep 'en_US.utf8'
ENV LANG en_US.utf8

RUN mkdir /docker-entrypoint-initdb.d

ENV DB_MAJOR 16
ENV DB_VERSION 16.4-1.pgdg120+1
ENV PATH $PATH:/usr/lib/db/$DB_MAJOR/bin

VOLUME /var/lib/db/data

COPY docker-entrypoint.sh docker-ensure-initdb.sh /usr/local/bin/
RUN ln -sT docker-ensure-initdb.sh /usr/local/bin/docker-enforce-initdb.sh
ENTRYPOINT ["docker-entrypoint.sh"]

# We set the default STOPSIGNAL to SIGINT, which corresponds to what the
# documentation calls "Fast Shutdown mode".
STOPSIGNAL SIGINT
#
# An additional setting that is recommended for all users regardless of this
# value is the runtime "--stop-timeout".

EXPOSE 5432
CMD ["db"]
