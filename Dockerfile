# Container images for case-watcher. Two targets:
#   docker build -t case-watcher .                           the program
#   docker build -t case-watcher:browser --target browser .  the same with Chromium, for sign_in = "browser"
# config/compose.yaml shows how to run them with reduced privileges.

FROM docker.io/library/python:3.13-slim-trixie AS build
# A CA certificate file for the package index, if a proxy intercepts TLS: --build-arg PIP_CERT=FILE.
ARG PIP_CERT
WORKDIR /build
# pip has its own environment, so the program's environment cannot install anything.
RUN python3 -m venv /opt/pip && python3 -m venv --without-pip /opt/watcher
COPY requirements.txt ./
RUN /opt/pip/bin/pip --python /opt/watcher/bin/python3 install --no-cache-dir --no-compile \
        --require-hashes -r requirements.txt
COPY watcher ./watcher
RUN printf '#!%s\nfrom watcher.cli import main\n\nmain()\n' /opt/watcher/bin/python3 > /opt/watcher/bin/watcher \
    && chmod 0755 /opt/watcher/bin/watcher
# Compile once, at build time: Python cannot cache bytecode on a read-only file system and would start slowly each time.
RUN cp -R watcher "$(/opt/watcher/bin/python3 -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/" \
    && /opt/watcher/bin/python3 -m compileall -q --invalidation-mode unchecked-hash /opt/watcher/lib

FROM build AS build-browser
ARG PIP_CERT
COPY requirements-browser.txt ./
RUN /opt/pip/bin/pip --python /opt/watcher/bin/python3 install --no-cache-dir --no-compile \
        --require-hashes -r requirements-browser.txt \
    && /opt/watcher/bin/python3 -m compileall -q --invalidation-mode unchecked-hash /opt/watcher/lib

FROM docker.io/library/python:3.13-slim-trixie AS plain
ENV PATH=/opt/watcher/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/var/lib/watcher \
    STATE_DIRECTORY=/var/lib/watcher \
    WATCHER_CONFIG=/etc/watcher/watcher.toml \
    container=oci
# Create the folders here so that new volumes inherit their owner and mode. `watcher init` writes to /etc/watcher if a
# volume is mounted there.
RUN echo 'watcher:x:10001:' >> /etc/group \
    && echo 'watcher:x:10001:10001::/var/lib/watcher:/usr/sbin/nologin' >> /etc/passwd \
    && install -d -m 0700 -o 10001 -g 10001 /var/lib/watcher \
    && install -d -m 0700 -o 10001 -g 10001 /etc/watcher
COPY --from=build /opt/watcher /opt/watcher
WORKDIR /var/lib/watcher
VOLUME ["/var/lib/watcher"]
USER 10001:10001
HEALTHCHECK --interval=2m --timeout=20s --start-period=1m --retries=3 CMD ["watcher", "health"]
# The page, if [web] is set.
EXPOSE 8788
ENTRYPOINT ["watcher"]
CMD ["run", "--log-format", "json", "--sign-in-link"]

FROM plain AS browser
USER 0:0
# Chromium is not pinned: Debian's archive keeps only the current security release, so a pinned version would be gone
# within weeks.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends chromium \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
COPY --from=build-browser /opt/watcher /opt/watcher
USER 10001:10001

# The last stage is built if no target is given.
FROM plain AS watcher
