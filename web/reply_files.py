"""Files beside a reply that is being written, and those that went out with one."""

from io import BytesIO

from flask import Blueprint, Response, render_template, request, send_file

from services.errors import Refused
from services.reply_files import add_file, drop_file, file_shown, files_beside
from web.security import current_actor, current_desk

screen = Blueprint("reply_files", __name__, url_prefix="/inbox/<int:case_id>/files")
SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What a browser draws; all else is a download."""


@screen.post("")
def add(case_id: int) -> str:
    given = request.files.get("file")
    if given is None:
        raise Refused("file.unknown")
    content = given.read()
    with current_desk().database.write.begin() as session:
        add_file(session, current_actor(), case_id, given.filename or "", content)
    return _beside(case_id)


@screen.post("/<int:file_id>/remove")
def remove(case_id: int, file_id: int) -> str:
    with current_desk().database.write.begin() as session:
        drop_file(session, current_actor(), file_id)
    return _beside(case_id)


def _beside(case_id: int) -> str:
    with current_desk().database.read.begin() as session:
        files = files_beside(session, current_actor(), case_id)
    return render_template("inbox/reply_files.html", files=files, case_id=case_id)


@screen.get("/<int:file_id>")
def show(case_id: int, file_id: int) -> Response:
    with current_desk().database.read.begin() as session:
        found = file_shown(session, current_actor(), case_id, file_id)
    response = send_file(
        BytesIO(found.content), mimetype=found.content_type, as_attachment=found.content_type not in SHOWN,
        download_name=found.name,
    )  # fmt: skip
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
