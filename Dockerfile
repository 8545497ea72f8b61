# The service with the city that ships:  docker build -t htp .  &&  docker run -p 8000:8000 htp
# CPU is the default; for a GPU:         docker build --build-arg DEVICE=cuda -t htp-cuda .  &&  docker run --gpus all …
# Another model:                         docker run -v /models/porto:/checkpoint:ro -p 8000:8000 htp
FROM python:3.12-slim

# PIP_EXTRA_INDEX_URL may name PyTorch's CPU packages, which saves gigabytes; without it the CUDA build runs on the CPU.
ARG DEVICE=cpu
ARG PIP_EXTRA_INDEX_URL=

ENV DEVICE=${DEVICE} PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /htp
COPY requirements.txt requirements-extras.txt ./
RUN pip install -r requirements.txt
# the package, the city that ships in it, built from the context as it is, links included; no layer keeps a copy
RUN --mount=type=bind,target=/htp,rw pip install -c requirements.txt -c requirements-extras.txt ".[serve]"

RUN useradd --system --uid 10001 --no-create-home htp
USER htp

EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["sh", "-c", "if [ -d /checkpoint ]; then set -- --checkpoint /checkpoint; fi; exec htp serve \"$@\" --device $DEVICE --host 0.0.0.0 --port 8000"]
