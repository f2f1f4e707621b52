"""What lies in a bucket, by a client that is not ours (boto3).

usage: s3_look.py ENDPOINT KEY SECRET REGION BUCKET VERB …
  fetch PREFIX FOLDER      writes every object beneath PREFIX into FOLDER, and prints `CHECKSUM KEY` of each
  uploads                  prints `KEY ID` of each upload that nobody completed
  put KEY FILE             writes an object
  begin KEY [FILE …]       begins an upload with these files as its first parts, and prints its id
"""

import sys
from pathlib import Path

import boto3
from botocore.config import Config

endpoint, key, secret, region, bucket, verb, *rest = sys.argv[1:]
config = Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required", retries={"max_attempts": 1})
s3 = boto3.client(
    "s3", endpoint_url=endpoint, aws_access_key_id=key, aws_secret_access_key=secret, region_name=region, config=config
)

if verb == "fetch":
    prefix, folder = rest
    for found in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix).search("Contents || `[]`"):
        place = Path(folder) / found["Key"].removeprefix(prefix)
        place.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, found["Key"], str(place))
        head = s3.head_object(Bucket=bucket, Key=found["Key"], ChecksumMode="ENABLED")
        print(head.get("ChecksumSHA256", "-"), found["Key"])
elif verb == "uploads":
    for found in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
        print(found["Key"], found["UploadId"])
elif verb == "put":
    s3.put_object(Bucket=bucket, Key=rest[0], Body=Path(rest[1]).read_bytes())
elif verb == "begin":
    upload = s3.create_multipart_upload(Bucket=bucket, Key=rest[0], ChecksumAlgorithm="SHA256")["UploadId"]
    for number, part in enumerate(rest[1:], 1):
        s3.upload_part(
            Bucket=bucket, Key=rest[0], UploadId=upload, PartNumber=number, Body=Path(part).read_bytes(), ChecksumAlgorithm="SHA256"
        )
    print(upload)
else:
    sys.exit(f"{verb} is no verb")
